package import Ciphers
import Units
package import Wire

extension TurnCredentials {
  /// What a relay that shares `secret` with the rendezvous server lets in until `expiry`, in seconds
  /// since 1970: it can tell by itself, nothing has to be told to it (draft-uberti-behave-turn-rest
  /// §2.2, coturn's `use-auth-secret`).
  ///
  /// The relay counts and limits by `name`, at most 400 bytes, and sees it: it must say nothing about
  /// the room that the relay is not to know.
  package static func minted(
    name: [UInt8], expiry: Int64, secret: [UInt8], ciphers: any CipherSuite
  ) -> TurnCredentials {
    precondition(name.count <= 400, "the server makes names itself")
    let username = Array("\(expiry):".utf8) + name
    let password = Base64.encode(ciphers.hmacSHA1(key: secret, username))
    return TurnCredentials(username: username, password: password)!
  }
}
