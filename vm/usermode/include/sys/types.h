/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_TYPES_H_
#define	_SYS_TYPES_H_

#include <sys/cdefs.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

typedef unsigned char	u_char;
typedef unsigned short	u_short;
typedef unsigned int	u_int;
typedef unsigned long	u_long;
typedef unsigned int	uint;
typedef unsigned short	ushort;
typedef uint8_t		u_int8_t;
typedef uint16_t	u_int16_t;
typedef uint32_t	u_int32_t;
typedef uint64_t	u_int64_t;
typedef int64_t		quad_t;
typedef uint64_t	u_quad_t;
typedef char		*caddr_t;
typedef const char	*c_caddr_t;
typedef long		ssize_t;
typedef int64_t		off_t;
typedef int32_t		pid_t;
typedef int32_t		lwpid_t;
typedef uint32_t	uid_t;
typedef uint32_t	gid_t;
typedef uint16_t	mode_t;
typedef int64_t		time_t;
typedef long		suseconds_t;
typedef int		clockid_t;
typedef int64_t		sbintime_t;
typedef int64_t		register_t;
typedef uint64_t	u_register_t;
typedef uintptr_t	vm_offset_t;
typedef uintptr_t	vm_size_t;
typedef uint64_t	vm_paddr_t;
typedef uint32_t	fixpt_t;
typedef int32_t		segsz_t;
typedef int		cpulevel_t;
typedef uint8_t		sa_family_t;
typedef uint32_t	socklen_t;
typedef uint32_t	in_addr_t;
typedef uint16_t	in_port_t;
typedef int64_t		critical_t;
typedef int		accmode_t;
typedef uint64_t	dev_t;
typedef uint64_t	ino_t;
typedef int64_t		daddr_t;
typedef uint64_t	cap_ioctl_t;
typedef const char	*cpp_string_t;
typedef struct ifnet	*if_t;
typedef _Bool		__bool_t;
typedef struct device	*device_t;
typedef unsigned int	vm_memattr_t;

#define	INADDR_DEFINED_IN_TYPES	1

struct thread;
struct proc;
struct ucred;
struct vnet;
struct mbuf;
struct mtx;
struct malloc_type;
struct lock_object;

#endif /* !_SYS_TYPES_H_ */
