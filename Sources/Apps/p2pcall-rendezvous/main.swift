import CLinux

exit(runServer())
