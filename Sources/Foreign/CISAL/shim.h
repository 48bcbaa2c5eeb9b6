#ifndef P2PCALL_CISAL_H
#define P2PCALL_CISAL_H

#include <isa-l/erasure_code.h>

#endif
