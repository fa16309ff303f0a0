"""What begins a report: traps, panics, WITNESS' and the sanitizers' words, boots and their failures."""

from __future__ import annotations

from harness.panic import naming
from harness.panic import patterns as p
from harness.panic.clean import undouble
from harness.panic.collect import Collector
from harness.panic.event import IDLE_END, Event
from harness.panic.model import Kind


class Openers(Collector):
    """Knows the lines that begin a report, end one, or say something by themselves."""

    def opens(self, number: int, text: str, kernel: bool, width: int) -> bool:
        """Does the line begin a report, end one, or say something by itself?  True: it is done with."""
        event = self.event
        if text.startswith(("FFaa", "ppaa")):
            text = undouble(text)
            if self.event:
                self.event.note("two CPUs printed at once")
        if p.BANNER.search(text):
            self._boot(number, text)
            return True
        if not self.version and (found := p.RELEASE.search(text)):
            self.version = found.group()
            self.architecture(text)
        if p.CORE_TEXT.search(text):
            self.core_text = True
            return False
        if text.startswith(("  Version String: ", "Version String: ")) and (
            found := p.VERSION_STRING.match(text)
        ):
            self.version = found["version"]
            self.architecture(text)
            return event is None
        if p.FAREWELL.search(text):
            self.farewell = True
            if event is not None and event.kind is not None and event.single:
                self.close()
            return self.event is None
        if found := p.PANIC_STRING.match(text):
            return self.info_panic(number, text, found["message"].strip())
        if found := p.FATAL_TRAP.match(text) or p.FATAL_TRAP_CUT.match(text):
            return self._fatal_trap(number, text, kernel, int(found["n"]), found["name"])
        if text.startswith("Fatal double fault"):
            return self._fatal_trap(number, text, kernel, 23, "double fault")
        if text.startswith("Fatal data abort"):
            return self._fatal_trap(number, text, kernel, 0x25, "data abort")
        if text.startswith("panic:"):
            found = p.PANIC.match(text)
            return found is not None and self._panic(number, text, kernel, found["message"], width)
        if found := p.SLEEPING.match(text):
            self.start(number, text, "sleeping", kernel, Kind.SLEEPING_THREAD)
            assert self.event is not None
            self.event.tid, self.event.pid = int(found["tid"]), int(found["pid"])
            self.event.confirmed = True
            return True
        if self._witness_opens(number, text, kernel):
            return True
        if found := p.BREAK.search(text):
            if event is None or event.single:
                self.start(number, text, "break", kernel, Kind.HANG)
                assert self.event is not None
                self.event.message = found["how"] or found["nmi"]
                asked = next((s for line in reversed(self.recent) if (s := p.STATUS.search(line))), None)
                if asked is not None:
                    self.event.hung = (asked["command"], int(asked["pid"]), asked["state"])
                self.event.confirmed = self.event.debugger = True
                return True
            return False
        if self._one_line(number, text):
            return event is None
        if self._boot_failure(number, text, kernel):
            return True
        if "panic: " in text and event is None and (found := p.PANIC_MIDDLE.search(text)):
            return self._panic(number, text, False, found["message"], width, at_start=False)
        return self._bare_frames(number, text, kernel)

    def _bare_frames(self, number: int, text: str, kernel: bool) -> bool:
        """The debugger's words, or frames, without a panic's before them: the log may begin there."""
        event = self.event
        if event is not None and event.opener == "frames":
            # in alltrace every thread comes with its own heading; only the one that panicked is of interest
            found = p.TRACING.match(text)
            if not found or not event.has_frames or self.tells_of_panic(event):
                return False
        elif (
            event is not None
            and not (event.single and event.has_frames and text.startswith("KDB: stack backtrace"))
        ) or not p.BARE_FRAMES.match(text):
            return False
        self.start(number, "", "frames", kernel, None)
        return False

    def _fatal_trap(self, number: int, text: str, kernel: bool, trap: int, name: str) -> bool:
        event = self.event
        if event is not None and not event.single and event.confirmed:
            if (
                event.debugger
                and event.since < IDLE_END
                and (event.has_frames or event.registers)
                and not event.over
            ):
                event.frozen = True
                event.note(f"the debugger itself trapped: {text.strip()}")
                return False
            if (
                not event.has_frames
                and event.message is None
                and event.trap is not None
                and event.since < 8
                and not event.registers
            ):
                event.note("two CPUs trapped at once: their fields may be mixed")
                return False
            if event.message == name.strip() and not (event.has_frames or event.registers):
                self.event = None  # a summary's title: here is the thing itself
        self.start(number, text.strip(), "trap", kernel, Kind.DOUBLE_FAULT if trap == 23 else Kind.TRAP)
        event = self.event
        assert event is not None
        event.trap, event.trap_name, event.trap_line = trap, name.strip(), text.strip()
        event.confirmed = True
        return True

    def _panic(
        self, number: int, text: str, kernel: bool, message: str, width: int, *, at_start: bool = True
    ) -> bool:
        event = self.event
        message = message.strip()
        if p.FOREIGN.search(text) or message.startswith("runtime error:"):
            return False
        if event is not None and not event.single:
            if event.frozen:
                return False
            if event.message is None and event.kind is not Kind.HANG and event.since < IDLE_END:
                event.message, event.message_width, event.message_open = message, width, True
                event.from_kernel = event.from_kernel or kernel
                event.meant(number, text)
                return True
            asked = any("show panic" in line for line in list(self.recent)[-3:])
            if message == event.message and (asked or not event.has_frames):
                return False
            if (
                not event.has_frames
                and event.confirmed
                and event.since < 8
                and event.message is not None
                and not event.over
            ):
                event.note(f"panicked again: {message}")
                event.meant(number, text)
                return True
        prelude: Event | None = None
        if (
            event is not None
            and event.single
            and event.kind in (Kind.WITNESS, Kind.LOR)
            and not event.has_frames
        ):
            prelude = event
            self.event = None
        self.start(number, text, "panic", kernel, None)
        event = self.event
        assert event is not None
        if prelude is not None:
            event.start = prelude.start
            event.head = prelude.head + event.head
            event.prelude = prelude.message or ""
            event.own_locks, event.locks, event.lock_names = (
                prelude.own_locks,
                prelude.locks,
                prelude.lock_names,
            )
            event.confirmed = True
        event.message, event.message_width, event.message_open = message, width, True
        if not at_start:
            event.opener = "middle"
        return True

    def info_panic(self, number: int, text: str, message: str) -> bool:
        """A panic of which only the message is there: savecore's info.N, a textdump's panic.txt."""
        if not message:
            return False
        self.start(number, text.strip(), "info", True, None)
        event = self.event
        assert event is not None
        event.message = message
        event.confirmed = event.info = True
        event.version = self.version
        self.close()
        return True

    def _witness_opens(self, number: int, text: str, kernel: bool) -> bool:
        event = self.event
        fatal_open = event is not None and not event.single
        kind, message, lock = None, "", ""
        if found := p.ORDER.search(text):
            kind, message = Kind.LOR, found.group().strip().rstrip(":")
        elif found := p.DUPLICATE.match(text):
            kind, message, lock = Kind.WITNESS, text.strip(), found["lock"]
        elif found := p.SPIN.match(text):
            kind, message, lock = Kind.WITNESS, "spin lock held too long", found["lock"]
        elif p.LOCKS_HELD.match(text) and len(text) < 300:
            begins = p.LOCKS_HELD_BEGINS.search(text)
            kind, message = Kind.WITNESS, text[begins.start() if begins else 0 :].strip().rstrip(":")
        elif p.MISMATCH.match(text):
            kind, message = Kind.WITNESS, text.strip()
        elif found := p.WARN_ONLY.match(text):
            kind, message = Kind.KASSERT, found["message"].strip()
        elif found := p.RACE.match(text):
            kind, message = Kind.KCSAN, text[text.index("CSan") :].strip()
        elif (found := p.SANITIZER.match(text)) is not None:
            kind = Kind.KASAN if found["which"] == "ASan" else Kind.KMSAN
            message = text.strip()
        if kind is None:
            return False
        if fatal_open:
            assert event is not None
            if event.debugger or (event.confirmed and event.since < 8 and not event.over):
                return False  # the debugger shows locks, or a report on the way down
        self.start(number, text, "report", kernel, kind, single=True)
        event = self.event
        assert event is not None
        event.message = message
        event.confirmed = kind is not Kind.LOR  # people write of order reversals, too: its locks must follow
        if lock:
            event.lock_names.append(lock)
        return True

    def _one_line(self, number: int, text: str) -> bool:
        event = self.event
        if event is not None and not event.single:
            return False
        if " limit reached" in text and (found := p.MBUFS.search(text)):
            kind, message, locks = Kind.MBUFS, found.group(), ()
        elif found := p.LEAKED.match(text):
            kind, message, locks = Kind.LEAK, text.strip(), ()
            self.close()
        else:
            return False
        key = f"{kind}:{naming.normalize(message)}"
        if key in self.seen_once:
            return True
        self.seen_once.add(key)
        one = Event("line", number, kind, True, confirmed=True, message=message, last=number)
        one.keep(text)
        one.locks.extend(locks)
        self.emit(one)
        return True

    def _boot_failure(self, number: int, text: str, kernel: bool) -> bool:
        if found := p.MOUNT_FAILED.search(text):
            self.mount_failed = f"Mounting from {found['what']} failed with error {found['error']}"
            return self.event is None
        event = self.event
        if event is not None and not event.single:
            return False
        for pattern, words in p.BOOT_FAILED:
            message = words
            if not pattern.search(text):
                continue
            if text.startswith("Loader variables"):
                return True
            if "mountroot>" in text:
                if "mountroot" in self.seen_once or not (self.mount_failed or self.booted or kernel):
                    return True
                self.seen_once.add("mountroot")
                message = self.mount_failed or message
            elif not (self.booted or self.lines_since_boot < 400) or len(text) > 120:
                return False
            message = message or text.strip()
            key = "boot:" + naming.normalize(message)
            if key in self.seen_once:
                return True
            self.seen_once.add(key)
            self.close()
            one = Event(
                "boot", number, Kind.BOOT_FAILURE, False, confirmed=True, message=message, last=number
            )
            for line in list(self.recent)[:-1]:
                one.keep(line)
            one.keep(text)
            self.farewell = True  # what follows is no surprise
            self.emit(one)
            return True
        return False

    def _boot(self, number: int, text: str) -> None:
        if number - self.banner_at < 6:
            self.banner_at = number
            return
        spoke = self.event is not None and not self.event.single
        lines = list(self.recent)[:-1]
        self.close()
        if (
            self.booted
            and not spoke
            and not self.farewell
            and self.lines_since_boot > 12
            and not self.core_text
        ):
            one = Event("boot", max(number - 1, 1), Kind.REBOOT, False, confirmed=True, last=number)
            one.message = "rebooted without a word"
            for line in [*lines, text]:
                one.keep(line)
            self.emit(one)
        self.booted = True
        self.boots += 1
        self.banner_at = number
        self.lines_since_boot = 0
        self.farewell = False
        self.want_version = True
        self.mount_failed = ""
        self.seen_once.clear()
