/* SPDX-License-Identifier: BSD-2-Clause */
/* Options come by -D here, not by generated headers. */
