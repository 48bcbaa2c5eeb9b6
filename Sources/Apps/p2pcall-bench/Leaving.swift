import CLinux
import CommandLine

func leave(_ code: ExitCode) -> Never { terminate(code.rawValue) }
func terminate(_ code: Int32) -> Never { exit(code) }
