import CLinux
import Simulating

exit(SimulationProgram.run(Array(CommandLine.arguments.dropFirst())))
