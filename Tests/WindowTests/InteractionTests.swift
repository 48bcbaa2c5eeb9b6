import Media
import Testing
import Units

@testable import Window

@Suite struct InteractionTests {
  private let layout = LayoutTests.layout(Extent(width: 1_060, height: 680), peers: 1)

  private func perform(
    _ interaction: inout Interaction, _ inputs: [WindowInput], layout: WindowLayout? = nil,
    clipboard: String = "", at now: Instant = .zero
  ) -> [WindowAction] {
    inputs.flatMap {
      interaction.handle(
        $0, layout: layout ?? self.layout, scrollStep: 48, clipboard: { clipboard }, at: now)
    }
  }

  private func typed(_ text: String) -> [WindowInput] { text.map { .key(.letter($0)) } }

  @Test func `every key has its button, and both do the same`() throws {
    let expected: [(Character, WindowControl, WindowAction)] = [
      ("m", .mute, .toggleMute), ("v", .camera, .toggleCamera),
      ("f", .fullScreen, .fullScreen(true)),
      ("i", .statistics, .statistics(true)), ("c", .chat, .chat(isOpen: true)),
      ("q", .leave, .leave),
    ]
    for (letter, control, action) in expected {
      var byKey = Interaction()
      #expect(perform(&byKey, [.key(.letter(letter))]) == [action])
      var byClick = Interaction()
      let button = try #require(layout.buttons.first { $0.control == control })
      let place = Point(x: button.rect.midX, y: button.rect.midY)
      #expect(perform(&byClick, [.pressed(place), .released(place)]) == [action])
    }
    var other = Interaction()
    #expect(perform(&other, typed("xyz")).isEmpty)
    #expect(perform(&other, [.closeRequested]) == [.leave])
  }

  @Test func `a press that is dragged off its button does nothing`() throws {
    var interaction = Interaction()
    let leave = try #require(layout.buttons.last).rect
    let inputs: [WindowInput] = [
      .pressed(Point(x: leave.midX, y: leave.midY)), .pointerMoved(Point(x: 5, y: 5)),
      .released(Point(x: 5, y: 5)),
    ]
    #expect(perform(&interaction, inputs).isEmpty)
    #expect(interaction.pressed == nil && interaction.hovered == nil)
  }

  @Test func `while a message is typed, letters are text, and Enter sends it`() {
    var interaction = Interaction()
    #expect(perform(&interaction, typed("c")) == [.chat(isOpen: true)])
    #expect(interaction.isTyping)
    #expect(perform(&interaction, typed("qmf")).isEmpty)
    let text: [WindowInput] = [.text("héllo 王"), .key(.delete(.left)), .text("!")]
    #expect(perform(&interaction, text).isEmpty)
    #expect(perform(&interaction, [.key(.enter)]) == [.sendChat("héllo !")])
    #expect(interaction.draft.text.isEmpty && interaction.isTyping)
    #expect(perform(&interaction, [.text("  "), .key(.enter)]).isEmpty)
    #expect(perform(&interaction, [.key(.escape)]) == [.chat(isOpen: false)])
    #expect(perform(&interaction, typed("m")) == [.toggleMute])
  }

  @Test func `what an input method composes is not sent before it is committed`() {
    var interaction = Interaction()
    let begun = perform(&interaction, typed("c") + [.composing("ni"), .key(.enter)])
    #expect(begun == [.chat(isOpen: true)])
    #expect(interaction.composition == "ni" && interaction.draft.text.isEmpty)
    #expect(perform(&interaction, [.text("你"), .key(.enter)]) == [.sendChat("你")])
  }

  @Test func `pasted text is one line, and a line has a limit`() {
    var interaction = Interaction()
    let pasted = perform(&interaction, typed("c") + [.key(.paste)], clipboard: "two\nlines\u{7}")
    #expect(pasted == [.chat(isOpen: true)])
    #expect(interaction.draft.text == "two lines")
    _ = perform(&interaction, [.key(.paste)], clipboard: String(repeating: "é", count: 5_000))
    #expect(interaction.draft.text.utf8.count <= LineEditor.byteLimit)
  }

  @Test func `escape closes the chat first, then leaves full screen`() {
    var interaction = Interaction()
    _ = perform(&interaction, typed("fc"))
    #expect(perform(&interaction, [.key(.escape)]) == [.chat(isOpen: false)])
    #expect(perform(&interaction, [.key(.escape)]) == [.fullScreen(false)])
    #expect(perform(&interaction, [.key(.escape)]).isEmpty)
  }

  @Test func `the Tab key goes round all controls, and Enter presses them`() {
    var interaction = Interaction()
    _ = perform(&interaction, [.key(.tab), .key(.tab)])
    #expect(interaction.focus == .camera && interaction.showsFocus)
    #expect(perform(&interaction, [.key(.space)]) == [.toggleCamera])
    _ = perform(&interaction, [.key(.backTab), .key(.backTab)])
    #expect(interaction.focus == .leave)
    #expect(perform(&interaction, [.key(.enter)]) == [.leave])
  }

  @Test func `a double click on the picture switches full screen`() {
    var interaction = Interaction()
    let place = Point(x: 300, y: 300)
    #expect(perform(&interaction, [.doubleClicked(place)]) == [.fullScreen(true)])
    #expect(perform(&interaction, [.doubleClicked(place)]) == [.fullScreen(false)])
    let bar = Point(x: 4, y: 670)
    #expect(perform(&interaction, [.doubleClicked(bar)]).isEmpty)
  }

  @Test func `in full screen the bar hides after a while and comes back with the pointer`() {
    var interaction = Interaction()
    let start = Instant(nanoseconds: 1_000)
    _ = perform(&interaction, typed("f"), at: start)
    #expect(!interaction.isBarHidden(at: start))
    let later = start + Interaction.idleDuration
    #expect(interaction.nextChange(after: start) == later)
    #expect(interaction.isBarHidden(at: later))
    #expect(interaction.nextChange(after: later) == nil)
    _ = perform(&interaction, [.pointerMoved(Point(x: 9, y: 9))], at: later)
    #expect(!interaction.isBarHidden(at: later))
  }

  @Test func `lines that arrive while the chat is closed are counted until it is opened`() {
    var interaction = Interaction()
    interaction.received(lines: 2)
    interaction.received(lines: 1)
    #expect(interaction.unreadLines == 3)
    _ = perform(&interaction, typed("c"))
    interaction.received(lines: 1)
    #expect(interaction.unreadLines == 0)
  }

  @Test func `copying says so for two seconds`() throws {
    let lobby = LayoutTests.layout(Extent(width: 1_060, height: 680), peers: 0)
    let copy = try #require(lobby.lobby?.copy)
    var interaction = Interaction()
    let place = Point(x: copy.midX, y: copy.midY)
    let now = Instant(nanoseconds: 5_000)
    let actions = perform(
      &interaction, [.pressed(place), .released(place)], layout: lobby, at: now)
    #expect(actions == [.copyRoomID])
    #expect(interaction.isCopied(.copyRoomID, at: now))
    #expect(!interaction.isCopied(.copyCommand, at: now))
    let end = now + Interaction.copiedDuration
    #expect(interaction.nextChange(after: now) == end)
    #expect(!interaction.isCopied(.copyRoomID, at: end))
  }
}

@Suite struct LineEditorTests {
  @Test func `the cursor moves and deletes by characters and by words`() {
    var line = LineEditor()
    line.insert("one twö 👨‍👩‍👧")
    line.delete(.left)
    #expect(line.text == "one twö ")
    line.move(.wordLeft)
    #expect(line.cursor == 4)
    line.insert("x")
    #expect(line.text == "one xtwö ")
    line.delete(.wordLeft)
    line.delete(.right)
    #expect(line.text == "one wö ")
    line.move(.home)
    line.delete(.left)
    line.delete(.wordRight)
    #expect(line.text == " wö " && line.cursor == 0)
    line.delete(.end)
    #expect(line.text.isEmpty && line.isBlank)
  }
}

@Suite struct PassingTextsTests {
  @Test func `lines of others and notices appear once, fade and go`() {
    var state = WindowState()
    state.chat = [
      .init(id: "1", author: "Anna", peer: "7", text: "hi"), .init(id: "2", text: "own"),
    ]
    state.notices = [.init(id: 1, text: "joined")]
    var passing = PassingTexts()
    let start = Instant(nanoseconds: 1)
    passing.update(state, isChatOpen: false, at: start)
    #expect(passing.lines.map(\.text) == ["hi"] && passing.arrivedLines == 1)
    #expect(passing.notices.map(\.text) == ["joined"])
    #expect(passing.lines[0].peer == "7" && passing.lines[0].opacity(at: start) == 1)

    state.chat.removeFirst()
    passing.update(state, isChatOpen: false, at: start + .milliseconds(10))
    #expect(passing.lines.count == 1 && passing.arrivedLines == 0)

    let fading = start + .milliseconds(7_750)
    #expect(passing.lines[0].opacity(at: fading) == 0.5)
    #expect(passing.nextChange(after: fading) != nil)
    passing.update(state, isChatOpen: false, at: start + .milliseconds(8_000))
    #expect(passing.lines.isEmpty && passing.notices.isEmpty)
    #expect(passing.nextChange(after: fading) == nil)
  }

  @Test func `while the chat is open its lines do not lie over the pictures`() {
    var state = WindowState()
    state.chat = [.init(id: "1", author: "Anna", peer: "7", text: "hi")]
    var passing = PassingTexts()
    passing.update(state, isChatOpen: true, at: .zero)
    #expect(passing.lines.isEmpty && passing.arrivedLines == 1)
  }
}

@Suite struct WindowModelTests {
  @Test func `the newest picture wins, and the window is woken once until it looks`() {
    let model = WindowModel()
    let wakes = Counter()
    model.onChange { wakes.add() }
    #expect(model.take() != nil)
    #expect(model.take() == nil)
    let size = PictureSize(width: 16, height: 16)
    let newest = Pictures.plain(size, y: 20, u: 128, v: 128)
    model.show(Pictures.frame(Pictures.plain(size, y: 16, u: 128, v: 128)), of: "a")
    model.show(Pictures.frame(newest), of: "a")
    model.update { $0.ownName = "Ben" }
    #expect(wakes.count == 1)
    let snapshot = model.take()
    #expect(snapshot?.pictures["a"] === newest && snapshot?.state.ownName == "Ben")
    model.remove(peer: "nobody")
    #expect(model.take() == nil && wakes.count == 1)
    model.remove(peer: "a")
    model.close()
    let last = model.take()
    #expect(last?.pictures.isEmpty == true && last?.isClosed == true && wakes.count == 2)
  }

  @Test func `pictures of strangers are kept up to a bound`() {
    let model = WindowModel()
    let picture = Pictures.plain(PictureSize(width: 16, height: 16), y: 16, u: 128, v: 128)
    for index in 0..<500 { model.show(Pictures.frame(picture), of: String(index)) }
    #expect(model.take()?.pictures.count == 64)
  }
}
