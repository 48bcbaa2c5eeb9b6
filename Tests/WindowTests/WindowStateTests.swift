import Testing
import Window

@Suite struct WindowStateTests {
  @Test func `a peer who talks without end does not fill the memory`() {
    var state = WindowState()
    for number in 1...1_500 {
      state.append(
        WindowState.ChatLine(id: "a/\(number)", author: "Ann", peer: "a", text: "\(number)"))
      state.append(WindowState.Notice(id: number, text: "\(number)"))
    }
    #expect(state.chat.count == 1_000)
    #expect(state.chat.first?.text == "501")
    #expect(state.chat.last?.text == "1500")
    #expect(state.notices.map(\.id) == Array(1_485...1_500))
  }
}
