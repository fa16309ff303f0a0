/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_REBOOT_H_
#define	_SYS_REBOOT_H_

#define	RB_AUTOBOOT	0
#define	RB_NOSYNC	0x004
#define	RB_HALT		0x008
#define	RB_POWEROFF	0x4000
#define	RB_POWERCYCLE	0x400000
void	kern_reboot(int howto) __attribute__((__noreturn__));

#endif /* !_SYS_REBOOT_H_ */
