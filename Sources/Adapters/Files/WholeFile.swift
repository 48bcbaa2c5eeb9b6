import CLinux

/// The bytes of a file that the user named, such as a certificate, at most `limit` of them.
/// With `isSecret` it must be this user's own and closed to others.
package func readFile(
  _ path: String, limit: Int = 1 << 20, isSecret: Bool = false
) throws(FileProblem) -> [UInt8] {
  let number = clinux_open(path, O_RDONLY | O_NONBLOCK | (isSecret ? O_NOFOLLOW : 0), 0)
  guard number >= 0 else { throw .last("read", path) }
  return try readAll(FileDescriptor(owning: number), path, limit: limit, isSecret: isSecret)
}

func readAll(
  _ file: borrowing FileDescriptor, _ path: String, limit: Int, isSecret: Bool
) throws(FileProblem) -> [UInt8] {
  var status = stat()
  guard fstat(file.number, &status) == 0 else { throw .last("look at", path) }
  guard clinux_is_regular(status.st_mode) != 0 else {
    throw FileProblem("\(path) is not a regular file; put the file itself there")
  }
  if isSecret {
    guard status.st_uid == geteuid() else {
      throw FileProblem("the key file \(path) belongs to another user; use one of your own")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw FileProblem("others may read the key file \(path); run chmod 600 \(path)")
    }
  }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let count = uninterrupted { read(file.number, &piece, piece.count) }
    if count < 0 { throw .last("read", path) }
    if count == 0 { return bytes }
    guard bytes.count + count <= limit else {
      throw FileProblem("\(path) is larger than \(limit) bytes; check that it is the right file")
    }
    bytes += piece[..<count]
  }
}
