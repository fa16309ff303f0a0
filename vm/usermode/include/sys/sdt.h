/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SDT_H_
#define	_SYS_SDT_H_

#define	SDT_PROVIDER_DEFINE(p)		struct __hack
#define	SDT_PROVIDER_DECLARE(p)		struct __hack
#define	SDT_PROBE_DECLARE(p, m, f, n)	struct __hack
#define	SDT_PROBE_DEFINE(p, m, f, n)	struct __hack
#define	SDT_PROBE_DEFINE1(...)		struct __hack
#define	SDT_PROBE_DEFINE2(...)		struct __hack
#define	SDT_PROBE_DEFINE3(...)		struct __hack
#define	SDT_PROBE_DEFINE4(...)		struct __hack
#define	SDT_PROBE_DEFINE5(...)		struct __hack
#define	SDT_PROBE_DEFINE6(...)		struct __hack
#define	SDT_PROBE(...)			do { } while (0)
#define	SDT_PROBE0(...)			do { } while (0)
#define	SDT_PROBE1(...)			do { } while (0)
#define	SDT_PROBE2(...)			do { } while (0)
#define	SDT_PROBE3(...)			do { } while (0)
#define	SDT_PROBE4(...)			do { } while (0)
#define	SDT_PROBE5(...)			do { } while (0)
#define	SDT_PROBE6(...)			do { } while (0)

#endif /* !_SYS_SDT_H_ */
