#ifndef P2PCALL_CUNISTRING_H
#define P2PCALL_CUNISTRING_H

#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

/* Macros over pointers to tables, which Swift does not import. */
static inline uninorm_t p2p_UNINORM_NFC(void) { return UNINORM_NFC; }
static inline uninorm_t p2p_UNINORM_NFKC(void) { return UNINORM_NFKC; }
static inline void p2p_free(void *memory) { free(memory); }

#endif
