import Units

/// The limit of every sender over a recorded link: one that knows when each opportunity will come and sends, with
/// nothing queued, what arrives exactly then (Winstein and others, 2013, §5.1). It uses all that the link can carry.
struct OmniscientSender {
  var trace: DeliveryTrace
  /// One way, without queues.
  var delay: Interval

  /// Of packets that are made when they are sent, as that paper has it.
  func packetAge(from start: Instant, to end: Instant) -> PictureAge {
    var age = PictureAge()
    for at in opportunities(from: start, to: end) {
      age.add(capturedAt: at, arrivedAt: at + delay)
    }
    age.end(at: end)
    return age
  }

  /// Of pictures that a camera captures so many times a second: each is made as large as all opportunities before the
  /// next carry, and is there with the last of them; one without any is not sent.
  func pictureAge(every interval: Interval, from start: Instant, to end: Instant) -> PictureAge {
    var age = PictureAge()
    var last: (picture: Instant, opportunity: Instant)?
    for at in opportunities(from: start, to: end) {
      let number = ((at - start).seconds / interval.seconds).rounded(.down)
      let picture = start + interval * number
      if let last, last.picture < picture {
        age.add(capturedAt: last.picture, arrivedAt: last.opportunity + delay)
      }
      last = (picture, at)
    }
    if let last { age.add(capturedAt: last.picture, arrivedAt: last.opportunity + delay) }
    age.end(at: end)
    return age
  }

  private func opportunities(from start: Instant, to end: Instant) -> [Instant] {
    let first = trace.count(before: start - .zero)
    let last = trace.count(before: end - delay - .zero)
    return (first..<max(first, last)).map { .zero + trace.time(of: $0) }
  }
}
