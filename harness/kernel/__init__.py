"""Source tree, configuration, patches in; kernel, symbols and a bootable image out; cached by content."""

from harness.kernel.assemble import KernelSpec, Result, build
from harness.kernel.runner import BuildFailed
from harness.kernel.store import Identity, Image, list_images, load, remove

__all__ = [
    "BuildFailed",
    "Identity",
    "Image",
    "KernelSpec",
    "Result",
    "build",
    "list_images",
    "load",
    "remove",
]
