import CSQLite

/// One SQLite connection and its statements; one thread at a time.
final class Database {
  private let handle: OpaquePointer

  /// What SQLite reported.
  struct Failure: Error, Hashable {
    var code: Int32
    var message: String

    /// The file holds no, or no whole, database.
    var isDamage: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xFF) }
    /// Another process has it.
    var isBusy: Bool { [SQLITE_BUSY, SQLITE_LOCKED].contains(code & 0xFF) }
  }

  init(_ path: String) throws(Failure) {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let opened else {
      let message = String(cString: sqlite3_errstr(code))
      sqlite3_close_v2(opened)
      throw Failure(code: code, message: message)
    }
    handle = opened
    sqlite3_extended_result_codes(handle, 1)
  }

  deinit { sqlite3_close_v2(handle) }

  func run(_ statement: String) throws(Failure) {
    let code = sqlite3_exec(handle, statement, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// A statement's blobs, bound in order from 1.
  func run(_ statement: String, _ blobs: [UInt8]...) throws(Failure) {
    let prepared = try prepare(statement)
    defer { sqlite3_finalize(prepared) }
    for (index, blob) in blobs.enumerated() {
      let code = csqlite_bind_blob(prepared, Int32(index + 1), blob, Int32(blob.count))
      guard code == SQLITE_OK else { throw failure(code) }
    }
    let code = sqlite3_step(prepared)
    guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code) }
  }

  /// Each row's columns; a column that is no blob is `nil`. Rows before a failure are handed over.
  func rows(_ query: String, _ row: ([[UInt8]?]) -> Void) throws(Failure) {
    let prepared = try prepare(query)
    defer { sqlite3_finalize(prepared) }
    while true {
      let code = sqlite3_step(prepared)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { throw failure(code) }
      row((0..<sqlite3_column_count(prepared)).map { Self.blob(prepared, $0) })
    }
  }

  /// The single integer or text that a PRAGMA answers, as text.
  func answer(_ query: String) throws(Failure) -> String? {
    let prepared = try prepare(query)
    defer { sqlite3_finalize(prepared) }
    let code = sqlite3_step(prepared)
    if code == SQLITE_DONE { return nil }
    guard code == SQLITE_ROW else { throw failure(code) }
    return sqlite3_column_text(prepared, 0).map { String(cString: $0) }
  }

  private static func blob(_ statement: OpaquePointer, _ column: Int32) -> [UInt8]? {
    guard sqlite3_column_type(statement, column) == SQLITE_BLOB else { return nil }
    guard let bytes = sqlite3_column_blob(statement, column) else { return [] }
    let count = Int(sqlite3_column_bytes(statement, column))
    return Array(UnsafeRawBufferPointer(start: bytes, count: count))
  }

  private func prepare(_ statement: String) throws(Failure) -> OpaquePointer {
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v2(handle, statement, -1, &prepared, nil)
    guard code == SQLITE_OK, let prepared else { throw failure(code) }
    return prepared
  }

  private func failure(_ code: Int32) -> Failure {
    Failure(
      code: sqlite3_extended_errcode(handle) == SQLITE_OK
        ? code : sqlite3_extended_errcode(handle),
      message: String(cString: sqlite3_errmsg(handle)))
  }
}
