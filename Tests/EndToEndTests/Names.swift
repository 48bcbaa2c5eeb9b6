import Foundation

/// Libraries that take the place of what looks names up.
extension Programs {
  /// A library whose look-ups of names say that they began, and never end: as where the servers
  /// for names do not answer.
  func silentNames() throws -> String {
    try library(
      """
      #include <unistd.h>
      int getaddrinfo(const char *name, const char *service, const void *hints, void **found) {
        write(2, "looking up\\n", 11);
        for (;;) pause();
      }
      """)
  }

  /// A library by which every name stands for these IPv4 addresses, in this order.
  func names(of addresses: [String]) throws -> String {
    try library(
      """
      #include <arpa/inet.h>
      #include <netdb.h>
      static const char *const texts[] = { \(addresses.map { "\"\($0)\"" }.joined(separator: ", ")) };
      enum { count = sizeof texts / sizeof texts[0] };
      static struct sockaddr_in names[count];
      static struct addrinfo entries[count];
      int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                      struct addrinfo **found) {
        for (int i = 0; i < count; i++) {
          names[i].sin_family = AF_INET;
          inet_pton(AF_INET, texts[i], &names[i].sin_addr);
          entries[i].ai_family = AF_INET;
          entries[i].ai_addr = (struct sockaddr *)&names[i];
          entries[i].ai_addrlen = sizeof names[i];
          entries[i].ai_next = i + 1 < count ? &entries[i + 1] : 0;
        }
        *found = entries;
        return 0;
      }
      void freeaddrinfo(struct addrinfo *entries) {}
      """)
  }

  /// Made by the C compiler that comes with Swift's.
  private func library(_ text: String) throws -> String {
    let library = path("\(UUID().uuidString).so")
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = ["clang", "-shared", "-fPIC", "-x", "c", "-", "-o", library]
    let source = Pipe()
    compiler.standardInput = source
    try compiler.run()
    source.fileHandleForWriting.write(Data(text.utf8))
    try source.fileHandleForWriting.close()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else { throw Missing("library from clang") }
    return library
  }
}
