"""The step `boilerplate`: lines that belong to the page and not to the text.

A line goes when it is short (100 characters at most) and

- is a credit or a source ("译者：…", "via: …", "本文由…原创编译，…荣誉推出"),
- is a copyright notice ("版权所有 …", "转载请注明出处", "All rights reserved"),
- points to other pages ("上一篇：…", "相关阅读：…"), or is nothing but a link,
- is a menu: four or more short pieces between "|" or "»", or two or more that are all menu words.

No such line holds a whole sentence. They are counted by kind. Nothing is guessed from the place of a line,
so "作者：鲁迅" in a list of facts goes too: leave the step out where that is the text.
"""

import re
from collections import Counter

from zhbert.clean.base import Outcome, Step, StepConfig

_LONGEST = 100
_NO_END = "[^。！？]{0,80}"


def _any(words: str) -> str:
    """Return the pattern of any of these words."""
    return "(?:" + "|".join(words.split()) + ")"


_CREDIT = _any(
    """
    作者 原作者 译者 译文 校对 选题 编辑 责编 责任编辑 编译 审校 审核 记者 通讯员 来源 出处 稿源 原文
    原文链接 原文地址 原文标题 本文链接 本文地址 本文网址 转载自 摘自 via Via author Author authors
    translator Translator source Source
    """
)
_ORIGIN = _any("由 系 为 首发于 转自 转载自 来自 来源 来源于 选自")
_MADE = _any("原创 首发 转载 编译 翻译 授权 推出 整理 发布")
_RIGHTS = r"(?:©|\([cC]\)[ ]|[cC]opyright\b|COPYRIGHT\b|[aA]ll[ ][rR]ights[ ][rR]eserved)"
_OWNED = _any("版权所有 版权声明 版权归 著作权归 著作权所有")
_FORBIDDEN = (
    "(?:转载(?:请|须|需|时请)?(?:注明|保留|联系)|(?:请勿|禁止|谢绝|不得)转载"
    "|未经[^。！？]{0,20}(?:许可|授权|允许|同意)[^。！？]{0,20}(?:转载|摘编|镜像))"
)
_RECORD = _any("ICP备 ICP证 公网安备")
_OTHERS = _any(
    """
    上一篇 下一篇 上一页 下一页 上一章 下一章 上一节 下一节 前一篇 后一篇 相关阅读 相关文章 相关链接
    相关新闻 相关推荐 推荐阅读 延伸阅读 扩展阅读 拓展阅读 猜你喜欢 热门文章 热门推荐 标签 Tags tags 分类
    浏览次数 浏览量 阅读次数 阅读量 阅读数 点击数 点击次数 评论数 访问量 发布时间 更新时间 发表时间 发布日期
    更新日期 发布于 更新于
    """
)
_LINE = re.compile(
    rf"""(?P<credits> {_CREDIT} [ \t]* [:：] {_NO_END}
        | [(（【\[]? 本文{_ORIGIN} {_NO_END} {_MADE} [^。！？]{{0,30}} 。? [)）】\]]? )\Z
    | (?P<copyright> (?: {_RIGHTS} | {_OWNED} ) {_NO_END}
        | [^。！？，]{{0,20}} {_FORBIDDEN} {_NO_END} [。！]?
        | [^。！？]{{0,40}} {_RECORD} {_NO_END} )\Z
    | (?P<pointers> {_OTHERS} [ \t]* [:：] {_NO_END}
        | (?:https?://|www\.) [!-~]+ )\Z""",
    re.VERBOSE,
)
_PIECE = re.compile(r"[\w ]{1,8}")
_BARS = re.compile(r"[ \t]*[|｜»›][ \t]*")
_CUT = re.compile(r"[\s|｜»›·•/，、,\[\]【】()（）<>:：]+")
_MENU_WORDS = """
    首页 主页 网站首页 返回首页 返回顶部 回到顶部 返回 返回列表 返回目录 上一页 下一页 上一篇 下一篇 上一章
    下一章 末页 尾页 目录 登录 登陆 注册 退出 搜索 收藏 加入收藏 收藏本站 设为首页 打印 打印本页 打印本文
    关闭 关闭窗口 分享 分享到 分享至 转发 微信 微博 新浪微博 腾讯微博 朋友圈 QQ QQ空间 QQ好友 豆瓣 人人网
    复制链接 点赞 赞 踩 评论 回复 举报 投诉 更多 查看更多 加载更多 阅读全文 查看全文 阅读原文 展开 收起 关注
    取消关注 订阅 RSS 联系我们 关于我们 关于本站 网站地图 友情链接 广告 广告服务 免责声明 隐私政策 使用条款
    法律声明 帮助 帮助中心 意见反馈 客服 客服中心 手机版 电脑版 移动版 客户端 下载客户端 字号 大 中 小 新闻
    体育 财经 娱乐 科技 军事 汽车 房产 教育 健康 时尚 视频 图片 博客 论坛 社区 专题 国内 国际 社会
"""
_MENU = frozenset(_MENU_WORDS.split())


class Boilerplate(StepConfig):
    """Lines that belong to the page, not to the text, go."""

    def make(self) -> Step:
        """Return the function that does the step."""
        return _strip


def _strip(text: str) -> Outcome:
    """Return `text` without its lines of boilerplate, which are counted by kind.

    >>> _strip("首页 | 新闻 | 正文\\n今天下雨。\\n译者：小王\\n上一篇：昨天").text
    '首页 | 新闻 | 正文\\n今天下雨。'
    """
    counts: Counter[str] = Counter()
    kept = []
    for line in text.split("\n"):
        kind = kind_of(line) if len(line) <= _LONGEST else ""
        if kind:
            counts[kind] += 1
        else:
            kept.append(line)
    return Outcome(text="\n".join(kept) if counts else text, changes=dict(counts))


def kind_of(line: str) -> str:
    """Return what kind of boilerplate a short line is, or nothing.

    >>> kind_of("首页 > 新闻 > 国内"), kind_of("版权所有 某某网"), kind_of("作者在文中说，他反对转载。")
    ('menu', 'copyright', '')
    """
    line = line.strip()
    match = _LINE.match(line)
    if match:
        return match.lastgroup or ""
    return "menu" if _is_menu(line) else ""


def _is_menu(line: str) -> bool:
    pieces = _BARS.split(line)
    if len(pieces) > 3 and all(_PIECE.fullmatch(piece) for piece in pieces):
        return True
    words = [word for word in _CUT.split(line) if word]
    return len(words) > 1 and _MENU.issuperset(words)
