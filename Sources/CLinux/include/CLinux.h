#ifndef MARTLET_CLINUX_H
#define MARTLET_CLINUX_H

// The one door to C: system headers Swift's Glibc module leaves out, and thin shims for what
// Swift cannot import (function-like macros, variadic calls, unions).

#include "martlet_bfd.h"
#include "martlet_capture.h"
#include "martlet_datagram.h"
#include "martlet_memory.h"
#include "martlet_netlink.h"
#include "martlet_nftables.h"
#include "martlet_packet.h"
#include "martlet_poll.h"
#include "martlet_router.h"
#include "martlet_stream.h"
#include "martlet_wait.h"

#endif
