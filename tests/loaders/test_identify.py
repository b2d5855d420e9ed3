"""Identification on invented pages: every kind of title and lead sentence, what must stay null, what is no report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from loaders.identify import classify_document, find_report_titles, identify_report
from loaders.model import Document, Hints, Identity, Paragraph, Place, Scope
from loaders.text.fold import detect_script
from loaders.vocabulary import load_vocabulary


def document(text: str) -> Document:
    """A document of one paragraph a line."""
    blocks, at = [], 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            blocks.append(Paragraph(line, Place(at, at + len(line), number)))
        at += len(line) + 1
    return Document(text, "utf-8", detect_script(text), tuple(blocks), "text/plain")


def body(y: int = 2018, s: str = "我局") -> str:
    """The narrative of a report on year ``y`` in which the body calls itself ``s``."""
    return f"""
一、概述
{y}年，{s}认真贯彻落实《中华人民共和国政府信息公开条例》，不断加强组织领导，健全制度机制，扎实推进政府信息公开各项工作。
二、主动公开政府信息情况
{y}年，{s}共主动公开政府信息128条，其中通过政府网站公开96条，其他方式公开32条。
三、依申请公开政府信息情况
{y}年{s}共收到政府信息公开申请5件，全部按时办结。
四、政府信息公开收费情况
全年未收取任何费用。
五、因政府信息公开申请行政复议、提起行政诉讼情况
{y}年未发生行政复议和行政诉讼。
六、存在的主要问题及改进措施
公开内容不够丰富。{y + 1}年，{s}将进一步加大公开力度。
"""


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    agency: str | None
    year: int | None
    scope: str = "own"
    co_agencies: tuple[str, ...] = ()
    published: str | None = "any"
    issue: str | None = None
    is_report: bool = True


CASES: list[Case] = []


def case(
    name: str,
    text: str,
    agency: str | None,
    year: int | None,
    scope: str = "own",
    co: tuple[str, ...] = (),
    published: str | None = "any",
    issue: str | None = None,
    is_report: bool = True,
) -> None:
    CASES.append(Case(name, text, agency, year, scope, co, published, issue, is_report))


def identify(text: str, hints: Hints | None = None) -> Identity:
    return identify_report(document(text), hints or Hints(), None)


case("dept2", "丰安市民政局2018年政府信息公开工作年度报告" + body(), "丰安市民政局", 2018)
case("yearfirst", "2015年广宁市统计局政府信息公开工作年度报告" + body(2015), "广宁市统计局", 2015)
case(
    "yearfirst2",
    "2021年度扬河市自然资源和规划局广陵分局政府信息公开年度报告" + body(2021),
    "扬河市自然资源和规划局广陵分局",
    2021,
)
case("bare", "舒平市2016年政府信息公开工作年度报告" + body(2016, "全市"), "舒平市", 2016, "area_aggregate")
case(
    "bare_gov",
    "舒平市2016年政府信息公开工作年度报告\n本报告由舒平市人民政府编制。" + body(2016, "我市"),
    "舒平市人民政府",
    2016,
    "unknown",
)
case(
    "bare_website",
    "舒平市2016年政府信息公开工作年度报告\n本报告电子版可在舒平市人民政府网站下载。" + body(2016, "我市"),
    "舒平市",
    2016,
    "unknown",
)
case("town", "河包镇2020年政府信息公开工作年度报告" + body(2020, "我镇"), "河包镇", 2020)
case("town_noyear", "河包镇政府信息公开工作年度报告" + body(2020, "我镇"), "河包镇", 2020)
case(
    "town_full",
    "南山县武平镇人民政府2020年度政府信息公开工作年度报告" + body(2020, "我镇"),
    "南山县武平镇人民政府",
    2020,
)
case("street", "2019年东山街道办事处政府信息公开工作年度报告" + body(2019, "我街道"), "东山街道办事处", 2019)
case(
    "zone",
    "青云经济技术开发区管理委员会2019年政府信息公开工作年度报告" + body(2019, "我委"),
    "青云经济技术开发区管理委员会",
    2019,
)
case(
    "tax",
    "国家税务总局平原县税务局2019年政府信息公开工作年度报告" + body(2019, "我局"),
    "国家税务总局平原县税务局",
    2019,
)
case(
    "tax_sp",
    "国家税务总局 平原县税务局\n2019年政府信息公开工作年度报告" + body(2019, "我局"),
    "国家税务总局平原县税务局",
    2019,
)
case(
    "tax_lines",
    "国家税务总局\n平原县税务局\n2019年政府信息公开\n工作年度报告" + body(2019, "我局"),
    "国家税务总局平原县税务局",
    2019,
)
case("customs", "青港海关2017年政府信息公开工作年度报告" + body(2017, "我关"), "青港海关", 2017)
case("weather", "平原县气象局2016年政府信息公开工作年度报告" + body(2016), "平原县气象局", 2016)
case("survey", "国家统计局平原调查队2017年政府信息公开工作报告" + body(2017, "我队"), "国家统计局平原调查队", 2017)
case(
    "joint",
    "东川市统计局、国家统计局东川调查总队2018年政府信息公开工作年度报告" + body(2018, "本机关"),
    "东川市统计局",
    2018,
    "own",
    ("国家统计局东川调查总队",),
)
case(
    "joint_lines",
    "东川市统计局\n国家统计局东川调查总队\n2018年政府信息公开工作年度报告" + body(2018, "本机关"),
    "东川市统计局",
    2018,
    "own",
    ("国家统计局东川调查总队",),
)
case(
    "joint_he",
    "平山县科学技术局和平山县知识产权局2012年政府信息公开工作年度报告" + body(2012),
    "平山县科学技术局",
    2012,
    "own",
    ("平山县知识产权局",),
)
case("he_not", "平山县文化和旅游局2019年政府信息公开工作年度报告" + body(2019), "平山县文化和旅游局", 2019)
case("he_not2", "平山县发展和改革局2019年政府信息公开工作年度报告" + body(2019), "平山县发展和改革局", 2019)
case(
    "he_not3", "沈河市公安局和平分局2015年政府信息公开工作年度报告" + body(2015, "我分局"), "沈河市公安局和平分局", 2015
)
case(
    "noorg_pub",
    "索引号：0001/2024-001 发布机构：丰安市医疗保障局 发布日期：2024-01-20\n2023年政府信息公开工作年度报告"
    + body(2023, "我局"),
    "丰安市医疗保障局",
    2023,
)
case(
    "noorg_lead",
    "2023年政府信息公开工作年度报告\n根据《中华人民共和国政府信息公开条例》第五十条规定，由丰安市林业局编制。"
    + body(2023, "我局"),
    "丰安市林业局",
    2023,
)
case(
    "noorg_te",
    "2023年政府信息公开工作年度报告\n"
    "丰安市林业局根据《中华人民共和国政府信息公开条例》的要求，特向社会公布丰安市林业局2023年政府信息公开工作年度报告。"
    + body(2023, "我局"),
    "丰安市林业局",
    2023,
)
case(
    "noorg_contact",
    "2019年政府信息公开工作年度报告\n"
    "本报告由总体情况等六部分组成。如对本报告有疑问，请联系丰安市林业局办公室（地址：人民路1号，电话：0431-12345678）。"
    + body(2019, "我局"),
    "丰安市林业局",
    2019,
)
case(
    "noorg_contact_other",
    "2019年政府信息公开工作年度报告\n如对本报告有疑问，请与丰安市人民政府办公室联系。" + body(2019, "我局"),
    None,
    2019,
)
case("noorg_none", "2019年政府信息公开工作年度报告" + body(2019, "我局"), None, 2019)
case(
    "noyear",
    "丰安市林业局政府信息公开工作年度报告\n本报告数据统计期限自2016年1月1日起至2016年12月31日止。" + body(2016),
    "丰安市林业局",
    2016,
)
case(
    "noyear2",
    "丰安市林业局政府信息公开工作年度报告\n我局高度重视。主动公开信息12条。收到申请0件。",
    "丰安市林业局",
    None,
    is_report=False,
)
case("zhengwu", "舒平市市场监督管理局2016年政务信息公开年度报告" + body(2016), "舒平市市场监督管理局", 2016)
case("nowork", "丰安市教育局2016年度政府信息公开报告" + body(2016), "丰安市教育局", 2016)
case("guanyu", "丰安市教育局关于2020年度政府信息公开工作情况的报告" + body(2020), "丰安市教育局", 2020)
case("guanyu2", "关于丰安市教育局2020年度政府信息公开工作的报告" + body(2020), "丰安市教育局", 2020)
case("fullwidth", "丰安市教育局２０２０年政府信息公开工作年度报告" + body(2020), "丰安市教育局", 2020)
case("chinese_year", "丰安市教育局二〇一八年政府信息公开工作年度报告" + body(2018), "丰安市教育局", 2018)
case("chinese_year2", "丰安市教育局\n二○一八年度政府信息公开工作\n年度报告" + body(2018), "丰安市教育局", 2018)
case("ideospace", "丰安市教育局　２０２０ 年\u3000政府信息公开工作\u3000年度报告" + body(2020), "丰安市教育局", 2020)
case(
    "nav",
    "网站首页 政务公开 办事服务\n"
    "您所在的位置：首页 > 政务公开 > 政府信息公开年报\n"
    "字号：大 中 小 打印\n"
    "丰安市教育局2020年政府信息公开工作年度报告\n"
    "来源：丰安市教育局 发布时间：2021-01-25 15:30 浏览次数：35\n"
    + body(2020)
    + "\n上一篇：丰安市教育局2019年政府信息公开工作年度报告\n下一篇：没有了",
    "丰安市教育局",
    2020,
    published="2021-01-25",
)
case(
    "repeated",
    "丰安市教育局2020年政府信息公开工作年度报告"
    + body(2020)
    + "丰安市教育局2020年政府信息公开工作年度报告\n版权所有：丰安市人民政府",
    "丰安市教育局",
    2020,
)
case(
    "missing_prefix",
    "兴化区统计局2018年政府信息公开工作年度报告\n本报告由北京市兴化区统计局编制。" + body(2018),
    "北京市兴化区统计局",
    2018,
)
case(
    "office_own",
    "丰安市人民政府办公室2019年政府信息公开工作年度报告" + body(2019, "我办"),
    "丰安市人民政府办公室",
    2019,
)
case(
    "office_gov",
    "丰安市人民政府办公室2019年政府信息公开工作年度报告\n2019年，市政府办公室代表市政府共受理政府信息公开申请35件。"
    + body(2019, "我办"),
    "丰安市人民政府办公室",
    2019,
    "government_itself",
)
case(
    "gov_agg",
    "丰安市人民政府2019年政府信息公开工作年度报告\n本报告在各县区、各部门政府信息公开工作年度报告的基础上编制。"
    + body(2019, "全市"),
    "丰安市人民政府",
    2019,
    "area_aggregate",
)
case(
    "gov_unknown",
    "丰安市人民政府2019年政府信息公开工作年度报告" + body(2019, "我市"),
    "丰安市人民政府",
    2019,
    "unknown",
)
case(
    "trad",
    "豐安市教育局2018年政府資訊公開工作年度報告\n\n"
    + "一、概述\n2018年,我局認真貫徹條例,主動公開政府資訊128條。收到申請5件。\n",
    "丰安市教育局",
    2018,
)
case(
    "fee",
    "丰安市财政局2014年政府信息公开工作年度报告\n（2015年3月20日）" + body(2014),
    "丰安市财政局",
    2014,
    published="2015-03-20",
)
case(
    "sig",
    "丰安市财政局2014年政府信息公开工作年度报告" + body(2014) + "丰安市财政局\n2015年3月18日\n",
    "丰安市财政局",
    2014,
    published="2015-03-18",
)
case("yearlast", "丰安市财政局政府信息公开工作年度报告（2014年度）" + body(2014), "丰安市财政局", 2014)
case("yearlast2", "丰安市财政局政府信息公开工作年度报告\n（2014年度）" + body(2014), "丰安市财政局", 2014)
case("yearline", "丰安市财政局\n2014年度\n政府信息公开工作报告" + body(2014), "丰安市财政局", 2014)
case("govshort", "丰安市政府2012年信息公开工作年度报告" + body(2012, "我市"), "丰安市政府", 2012, "unknown")
case("govnoyear", "丰安市人民政府信息公开工作年度报告" + body(2012, "我市"), "丰安市人民政府", 2012, "unknown")
case(
    "pagetitle",
    "丰安市财政局2014年政府信息公开工作年度报告_丰安市人民政府\n丰安市财政局2014年政府信息公开工作年度报告"
    + body(2014),
    "丰安市财政局",
    2014,
)
case(
    "meta_title",
    "索引号：JX01-0203 信息分类：年报 标题：丰安市财政局2014年政府信息公开工作年度报告 发文日期：2015-03-01"
    + body(2014),
    "丰安市财政局",
    2014,
    published="2015-03-01",
)
case(
    "period_copy",
    "丰安市规划局2021年政府信息公开工作年度报告\n本报告所列数据的统计期限自2020年1月1日起至2020年12月31日止。"
    + body(2021),
    "丰安市规划局",
    2021,
    issue="period_year_mismatch",
)
case(
    "period_typo",
    "丰安市规划局2020年政府信息公开工作年度报告\n本报告所列数据的统计期限自2020年1月1日起至202020年12月31日止。"
    + body(2020),
    "丰安市规划局",
    2020,
    issue="period_unreadable",
)
case(
    "period_typo2",
    "丰安市规划局2018年政府信息公开工作年度报告\n本报告所列数据的统计期限为2018年11日至2018年1231日。" + body(2018),
    "丰安市规划局",
    2018,
    issue="period_unreadable",
)
case(
    "subord",
    "2019年政府信息公开工作年度报告\n"
    "按照丰安市统计局要求，我局完成年报。转发《丰安市统计局关于做好公开工作的通知》。公开《丰安市统计局2019年部门预算》《丰安市统计局2018年部门决算》。"
    + body(2019),
    None,
    2019,
)
case(
    "site_header",
    "丰安市人民政府\n2019年政府信息公开工作年度报告\n本报告由丰安市林业局编制。" + body(2019),
    "丰安市林业局",
    2019,
)
case("sys", "甘山省地税系统2015年政府信息公开工作年度报告" + body(2015, "全系统"), None, 2015, "system_aggregate")
case(
    "dept_sys",
    "甘山省公安厅2015年政府信息公开工作年度报告\n2015年，全省公安机关共收到政府信息公开申请230件。"
    + body(2015, "我厅"),
    "甘山省公安厅",
    2015,
    "system_aggregate",
)
case(
    "selfcall",
    "2016年政府信息公开工作年度报告\n2016年，丰安市粮食局（以下简称“我局”）在市政府领导下开展工作。" + body(2016),
    "丰安市粮食局",
    2016,
)
case("me_title", "我局2016年政府信息公开工作年度报告\n" + body(2016), None, 2016)
case("xianjiang", "现将丰安市粮食局2016年度政府信息公开工作情况报告如下：\n" + body(2016), "丰安市粮食局", 2016)
case("xianjiang2", "根据条例要求，现将我局2016年度政府信息公开工作情况报告如下：\n" + body(2016), None, 2016)
case(
    "byline",
    "2016年政府信息公开工作年度报告\n丰安市粮食局\n（2017年3月1日）" + body(2016),
    "丰安市粮食局",
    2016,
    published="2017-03-01",
)
case("filler", "2016年政府信息公开工作年度报告" + body(2016) + "填报单位（盖章）：丰安市粮食局\n", "丰安市粮食局", 2016)
case(
    "source_other",
    "2016年政府信息公开工作年度报告\n来源：丰安市人民政府办公室 时间：2017-02-03" + body(2016),
    None,
    2016,
)
case("school", "丰安市第一中学2020年信息公开工作年度报告" + body(2020, "我校"), "丰安市第一中学", 2020)
case(
    "municipal_dist",
    "北京市西山区人民政府金融街街道办事处2018年政府信息公开工作年度报告" + body(2018, "我街道"),
    "北京市西山区人民政府金融街街道办事处",
    2018,
)
case(
    "jigou",
    "丰安市机构编制委员会办公室2015年政府信息公开工作年度报告" + body(2015, "我办"),
    "丰安市机构编制委员会办公室",
    2015,
)
case(
    "zw_office", "丰安市政务公开办公室2015年政府信息公开工作年度报告" + body(2015, "我办"), "丰安市政务公开办公室", 2015
)
case(
    "pub_wrongyear",
    "2016年丰安市粮食局政府信息公开工作年度报告\n本报告所列数据统计期限为2015年1月1日至2015年12月31日。" + body(2015),
    "丰安市粮食局",
    2015,
    issue="title_year_mismatch",
)
case(
    "date_early",
    "丰安市财政局2014年政府信息公开工作年度报告\n发布日期：2014-12-30" + body(2014),
    "丰安市财政局",
    2014,
    published=None,
)
case(
    "sys_named",
    "甘山省地方税务局系统2015年政府信息公开工作年度报告" + body(2015, "全系统"),
    "甘山省地方税务局",
    2015,
    "system_aggregate",
)
case("paren_org", "2020年政府信息公开工作年度报告（丰安市林业局）" + body(2020), "丰安市林业局", 2020)
case("short_city", "市林业局2020年政府信息公开工作年度报告\n由丰安市林业局编制。" + body(2020), "丰安市林业局", 2020)
case("midyear", "丰安市林业局政府信息公开2020年度报告" + body(2020), "丰安市林业局", 2020)
case("midyear2", "丰安市林业局政府信息公开工作2020年年度报告" + body(2020), "丰安市林业局", 2020)
case("nianbao", "丰安市林业局2020年度政府信息公开工作年报" + body(2020), "丰安市林业局", 2020)
case("conn", "丰安市林业局2020年政府信息与政务公开工作年度报告" + body(2020), "丰安市林业局", 2020)
case("dateprefix", "[2021-01-20]丰安市林业局2020年政府信息公开工作年度报告" + body(2020), "丰安市林业局", 2020)
case("datesuffix", "丰安市林业局2020年政府信息公开工作年度报告 2021-01-20" + body(2020), "丰安市林业局", 2020)
case("datesuffix2", "丰安市林业局2020年政府信息公开工作年度报告（2021年1月20日）" + body(2020), "丰安市林业局", 2020)
case(
    "twoyears",
    "丰安市林业局2008-2009年政府信息公开工作年度报告\n所列数据统计期限为2009年1月1日至2009年12月31日。" + body(2009),
    "丰安市林业局",
    2009,
)
case("gongshi", "关于丰安市林业局2020年政府信息公开工作年度报告的公示" + body(2020), "丰安市林业局", 2020)
case("menu_above", "政务公开\n丰安市林业局2020年政府信息公开工作年度报告" + body(2020), "丰安市林业局", 2020)
case("menu_above2", "信息中心\n2020年政府信息公开工作年度报告\n由丰安市林业局编制" + body(2020), "丰安市林业局", 2020)
case("menu_above3", "乡镇街道\n2020年政府信息公开工作年度报告" + body(2020), None, 2020)
case("orgsplit", "丰安市自然资源和\n规划局2020年政府信息公开工作年度报告" + body(2020), "丰安市自然资源和规划局", 2020)
case("title_split_mid", "丰安市林业局2020年政府信息公开工\n作年度报告" + body(2020), "丰安市林业局", 2020)
case("title_split_mid2", "丰安市林业局2020年政府信息公开工作年度报\n告" + body(2020), "丰安市林业局", 2020)
case(
    "compiled",
    "2016年政府信息公开工作年度报告\n"
    "本报告由青山县人民政府办公室根据全县各乡镇人民政府和县直各部门政府信息公开工作年度报告综合编制而成。"
    + body(2016, "全县"),
    "青山县人民政府",
    2016,
    "area_aggregate",
)
case(
    "compiled2",
    "青山县2016年政府信息公开工作年度报告\n"
    "本报告由青山县人民政府办公室根据全县各乡镇人民政府和县直各部门政府信息公开工作年度报告综合编制而成。"
    + body(2016, "全县"),
    "青山县人民政府",
    2016,
    "area_aggregate",
)
case(
    "subject",
    "2016年政府信息公开工作年度报告\n丰安市水务局根据《中华人民共和国政府信息公开条例》规定和市政府要求，编制本报告。"
    + body(2016),
    "丰安市水务局",
    2016,
)
case(
    "upper_doc",
    "2016年政府信息公开工作年度报告\n"
    "根据丰安市人民政府办公室《关于做好2015年度政府信息公开工作年度报告编制发布工作的通知》要求，我局编制本报告。"
    + body(2016),
    None,
    2016,
)
case(
    "upper_doc2",
    "一、概述\n根据丰安市统计局关于做好2015年度政府信息公开工作年度报告编制工作的通知要求，我局编制本报告。"
    + body(2016),
    None,
    2016,
)
case("national_subject", "国家统计局根据第四次经济普查结果，公布了数据。" + body(2016), None, 2016)
case("xinfang", "信访事项请向丰安市信访局反映。" + body(2016), None, 2016)
case(
    "benji",
    "丰安市人民政府（本级）2019年政府信息公开工作年度报告" + body(2019, "我市"),
    "丰安市人民政府",
    2019,
    "government_itself",
)
case(
    "pbc",
    "中国人民银行丰安市中心支行2017年政府信息公开工作年度报告" + body(2017, "我行"),
    "中国人民银行丰安市中心支行",
    2017,
)
case(
    "paren_name",
    "丰安市烟草专卖局（公司）2017年政府信息公开工作年度报告" + body(2017),
    "丰安市烟草专卖局（公司）",
    2017,
)
case("party", "中共丰安市委老干部局2017年政府信息公开工作年度报告" + body(2017), "中共丰安市委老干部局", 2017)
case(
    "police",
    "丰安市公安局交通警察支队2017年政府信息公开工作年度报告" + body(2017, "我支队"),
    "丰安市公安局交通警察支队",
    2017,
)
case(
    "corps",
    "新疆生产建设兵团第八师石平市2017年政府信息公开工作年度报告" + body(2017, "全市"),
    "新疆生产建设兵团第八师石平市",
    2017,
    "area_aggregate",
)
case("gaozhuang", "高各庄镇2017年政府信息公开工作年度报告" + body(2017, "我镇"), "高各庄镇", 2017)
case("benxi", "本溪市2017年政府信息公开工作年度报告" + body(2017, "我市"), "本溪市", 2017, "unknown")
case(
    "hexian", "和田地区行政公署2017年政府信息公开工作年度报告" + body(2017, "我区"), "和田地区行政公署", 2017, "unknown"
)
case("quanzhou", "全州县林业局2017年政府信息公开工作年度报告" + body(2017), "全州县林业局", 2017)
case(
    "footer",
    "2020年政府信息公开工作年度报告"
    + body(2020)
    + "主办：丰安市人民政府 承办：丰安市大数据局\n版权所有 丰安市人民政府办公室",
    None,
    2020,
)
case(
    "contact_lines",
    "丰安市2020年度政府信息公开工作年度报告\n如对本报告有疑问，请与丰安市人民政府办公室政务公开科联系。"
    + body(2020, "全市"),
    "丰安市人民政府",
    2020,
    "area_aggregate",
)
case(
    "contact_gov",
    "丰安市2020年度政府信息公开工作年度报告\n如对本报告有疑问，请与丰安市人民政府联系。" + body(2020, "全市"),
    "丰安市人民政府",
    2020,
    "area_aggregate",
)
case(
    "town_contact",
    "2020年政府信息公开工作年度报告\n如对本报告有疑问，请与丰安市东山镇人民政府党政办公室联系（电话：123）。"
    + body(2020, "我镇"),
    "丰安市东山镇人民政府",
    2020,
)
case(
    "town_bare_full",
    "东山镇2020年政府信息公开工作年度报告\n根据条例要求，由丰安市东山镇人民政府编制。" + body(2020, "我镇"),
    "丰安市东山镇人民政府",
    2020,
)
case(
    "street_bare",
    "东山街道2020年政府信息公开工作年度报告\n由东山街道办事处编制。" + body(2020, "我街道"),
    "东山街道办事处",
    2020,
)
case(
    "parent_not",
    "丰安市统计局2020年政府信息公开工作年度报告\n由丰安市锦水区统计局编制。" + body(2020),
    "丰安市统计局",
    2020,
    "own",
    issue="agency_conflict",
)
case("lead_meta", "丰安市统计局2020年政府信息公开工作年度报告\n来源：国家统计局" + body(2020), "丰安市统计局", 2020)
case(
    "bare_bureau",
    "统计局2020年政府信息公开工作年度报告\n我局学习国家统计局文件。国家统计局2020年发布。" + body(2020),
    None,
    2020,
)
case(
    "period_ch",
    "丰安市规划局政府信息公开工作年度报告\n本报告所列数据的统计期限自二〇二〇年一月一日起至二〇二〇年十二月三十一日止。"
    + body(2020),
    "丰安市规划局",
    2020,
)
case(
    "period_short",
    "政府信息公开工作年度报告\n由丰安市规划局编制，数据统计时间为2020年1月1日至12月31日。" + body(2020),
    "丰安市规划局",
    2020,
)
case(
    "period_dot",
    "丰安市规划局政府信息公开工作年度报告\n统计期限：2020.1.1-2020.12.31" + body(2020),
    "丰安市规划局",
    2020,
)
case(
    "title_lead_two",
    "丰安市规划局2020年政府信息公开工作年度报告\n现将丰安市规划局2019年度...",
    "丰安市规划局",
    2020,
    is_report=False,
)

case(
    "called_self_after_verb",
    "上海市东湖区华阳路街道办事处2014年度政府信息公开年度报告\n"
    "根据《上海市政府信息公开规定》（以下简称《规定》），编制上海市东湖区华阳路街道办事处（以下简称“本街道”）2014年度报告。"
    + body(2014, "本街道"),
    "上海市东湖区华阳路街道办事处",
    2014,
)
case(
    "county_page",
    "平原县人民政府\n您现在的位置： 首页 > 政府信息公开 > 政府信息公开年报\n平原县2019年政府信息公开工作年度报告\n"
    "发布时间：2020-03-26 08:51 | 来源：平原县政府办公室 | 浏览：123\n"
    "由平原县人民政府办公室综合全县各乡镇、各部门政府信息公开年度报告编制。" + body(2019, "我县"),
    "平原县人民政府",
    2019,
    "area_aggregate",
    published="2020-03-26",
)
case(
    "signature_makes_full",
    "县教育局2016年度政府信息公开工作年度报告" + body(2016) + "平原县教育局办公室 2017年2月10日印发",
    "平原县教育局",
    2016,
    published="2017-02-10",
)
case(
    "opening", "2019年，东江市林业局在市委、市政府领导下，认真开展政府信息公开工作。" + body(2019), "东江市林业局", 2019
)
case("opening_of_superior", "东江市林业局要求各区局做好政府信息公开工作。" + body(2019), None, 2019)
case(
    "own_points_of_superior",
    "根据《东江市林业局2019年政府信息公开工作要点》，我局认真开展工作。" + body(2019),
    None,
    2019,
)
case(
    "site_column_first",
    "政府信息公开年报_平原县水利局2017年政府信息公开工作年度报告" + body(2017),
    "平原县水利局",
    2017,
)
case(
    "commission_is_no_zone",
    "国务院国有资产监督管理委员会2015年政府信息公开工作年度报告" + body(2015, "国资委"),
    "国务院国有资产监督管理委员会",
    2015,
)
case(
    "name_in_brackets_stays",
    "东江市规划局（东江市测绘局）2013年政府信息公开工作年度报告" + body(2013),
    "东江市规划局（东江市测绘局）",
    2013,
)
case(
    "letterhead",
    "平原县教育局文件\n平教字〔2017〕5号\n平原县教育局\n2016年政府信息公开工作年度报告" + body(2016),
    "平原县教育局",
    2016,
)
case(
    "joint_in_lead",
    "2018年政府信息公开工作年度报告\n本报告由东江市统计局、国家统计局东江调查队编制。" + body(2018, "局队"),
    "东江市统计局",
    2018,
    co=("国家统计局东江调查队",),
)


@pytest.mark.parametrize("expected", CASES, ids=lambda c: c.name)
def test_identity(expected: Case) -> None:
    found = identify(expected.text)
    assert found.agency_name == expected.agency
    assert found.report_year == expected.year
    assert found.scope.value == expected.scope
    assert found.co_agency_names == expected.co_agencies
    codes = {issue.issue_code for issue in found.issues}
    assert codes <= set(load_vocabulary().issue_severity)
    assert ("agency_unknown" in codes) == (expected.agency is None)
    assert ("report_year_unknown" in codes) == (expected.year is None)
    assert ("scope_unknown" in codes) == (expected.scope == "unknown")
    assert ("agency_conflict" in codes) == (expected.issue == "agency_conflict")
    if expected.issue is not None:
        assert expected.issue in codes
    if expected.published != "any":
        assert found.published_date == (date.fromisoformat(expected.published) if expected.published else None)
    if expected.is_report:
        assert classify_document(document(expected.text), False, False) is None


@pytest.mark.parametrize("expected", CASES, ids=lambda c: c.name)
def test_evidence_is_verbatim(expected: Case) -> None:
    for evidence in identify(expected.text).evidence:
        assert evidence.snippet
        if evidence.place is not None and evidence.rule != "title":
            assert expected.text[evidence.place.start : evidence.place.end] == evidence.snippet


@dataclass(frozen=True)
class Kind:
    name: str
    text: str
    code: str | None
    is_filled: bool = False
    has_form: bool = False


KINDS: list[Kind] = []


def r(name: str, text: str, code: str | None, is_filled: bool = False, has_form: bool = False) -> None:
    KINDS.append(Kind(name, text, code, is_filled, has_form))


NR = "not_a_report"
r(
    "notice",
    "丰安市人民政府办公室关于做好2020年度政府信息公开工作年度报告编制工作的通知\n"
    "各县（市、区）人民政府，市直各部门：\n"
    "根据《条例》规定，现将有关事项通知如下：\n"
    "一、总体情况\n"
    "二、主动公开政府信息情况\n"
    "三、收到和处理政府信息公开申请情况\n"
    "四、行政复议、行政诉讼情况\n"
    "请各单位于2021年1月20日前报送至市政府办公室。",
    NR,
)
r("notice2", "关于编制2018年政府信息公开工作年度报告的通知\n各镇人民政府：请认真做好编制工作，请于1月31日前报送。", NR)
r(
    "notice_form",
    "关于做好2020年政府信息公开工作年度报告编制发布工作的通知\n"
    "各镇人民政府：请认真做好编制工作，请于1月31日前报送。附件：报告格式",
    NR,
    False,
    True,
)
r(
    "news",
    "丰安市发布2020年政府信息公开工作年度报告\n"
    "近日，丰安市发布2020年政府信息公开工作年度报告。2020年，全市主动公开政府信息12345条，收到申请120件。",
    NR,
)
r("news2", "市林业局按时完成2020年政府信息公开年度报告编制工作\n为做好政府信息公开工作，市林业局认真组织编制年报。", NR)
r(
    "news3",
    "市林业局召开政府信息公开工作会议\n会议要求做好2020年政府信息公开工作年度报告编制工作。全年共主动公开信息200条。",
    NR,
)
r(
    "guide",
    "丰安市林业局政府信息公开指南\n"
    "一、主动公开\n"
    "（一）公开内容\n"
    "二、依申请公开\n"
    "（一）受理机构\n"
    "申请受理后15个工作日答复。\n"
    "三、收费标准\n"
    "四、监督和行政复议",
    NR,
)
r("catalogue", "丰安市林业局政府信息公开目录\n机构职能 政策法规 规划计划", NR)
r(
    "system_rule",
    "丰安市政府信息公开工作年度报告制度\n"
    "第一条 为规范政府信息公开工作年度报告，制定本制度。\n"
    "第二条 年度报告包括下列内容：主动公开政府信息的情况；依申请公开的情况；行政复议、行政诉讼情况。",
    NR,
)
r(
    "summary",
    "蚌山市2019年政务公开工作总结\n"
    "2019年，全市主动公开政府信息1万条。\n"
    "一、总体情况\n"
    "2019年我市共主动公开政府信息10000条。\n"
    "二、主动公开\n"
    "三、存在的问题\n"
    "收到申请30件。",
    NR,
)
r("half", "普山区2022年上半年政府信息公开数据统计\n收到申请30件。", NR)
r("half_filled", "普山区2016年上半年政府信息公开情况统计表\n收到申请数 件 30", NR, True, True)
r("half_title", "普山区教育局2016年上半年政府信息公开工作报告" + body(2016), NR, True, True)
r(
    "law",
    "丰安市林业局2020年法治政府建设年度报告\n"
    "一、主要工作\n"
    "2020年，我局推进政务公开，主动公开政府信息120条。\n"
    "二、存在问题\n"
    "三、下一步\n"
    "行政复议2件。",
    NR,
)
r("requests_page", "丰安市2020年依申请公开情况统计\n收到申请30件。办结30件。", NR)
r("interp", "一图读懂丰安市2020年政府信息公开工作年度报告\n图片", NR)
r("interp2", "《丰安市2020年政府信息公开工作年度报告》解读\n为便于公众了解报告内容，现就有关情况解读如下。", NR)
r(
    "list",
    "丰安市林业局2020年政府信息公开工作年度报告 2021-01-20\n"
    "丰安市林业局2019年政府信息公开工作年度报告 2020-01-20\n"
    "丰安市林业局2018年政府信息公开工作年度报告 2019-03-20\n"
    "丰安市林业局2017年政府信息公开工作年度报告 2018-03-20\n"
    "共4条 首页 上一页 下一页 尾页",
    NR,
)
r("blank", "政府信息公开情况统计表\n（  年度）\n填报单位（盖章）：\n主动公开政府信息数 条\n", "blank_form", False, True)
r(
    "blank2",
    "XX市XX局20XX年政府信息公开工作年度报告\n一、总体情况\n（一）主动公开。XX年，我局主动公开政府信息XX条。\n",
    "blank_form",
    False,
    True,
)
r(
    "attach",
    "丰安市林业局2020年政府信息公开工作年度报告\n"
    "发布时间：2021-01-20\n"
    "附件：丰安市林业局2020年政府信息公开工作年度报告.pdf",
    "no_figures",
)
r("empty", "   \n", "empty_document")
r("other", "丰安市2020年国民经济和社会发展统计公报\n2020年，全市实现地区生产总值1234亿元。", NR)
r("website", "丰安市人民政府网站2020年政府网站工作年度报表\n网站名称 丰安市人民政府\n信息发布总数 1234条", NR)
r("policy", "关于加强政府信息公开工作的意见\n各部门：为加强…", NR)
r("corp", "丰安市水务集团2020年企业年度报告\n营业收入12亿元", NR)
r(
    "ok_fwd",
    "关于印发丰安市林业局2020年政府信息公开工作年度报告的通知\n丰安市林业局2020年政府信息公开工作年度报告" + body(2020),
    None,
)
r("ok_filled_no_title", "（2018年度）\n主动公开政府信息数 条 20", None, True, True)
r("ok_min2021", "丰安市林业局2022年政府信息公开工作年度报告\n一、总体情况\n2022年主动公开50条。\n", None, True, True)
r("ok_blank_narr", "丰安市林业局2017年政府信息公开工作年度报告" + body(2017), None, False, True)
r("ok_notitle", body(2017), None)
r("ok_notitle_nav", "首页\n政府信息公开指南\n政府信息公开目录\n政府信息公开年报\n通知公告" + body(2017), None)
r(
    "ok_nofig",
    "丰安市林业局2017年政府信息公开工作年度报告\n"
    "我局无主动公开信息，未收到申请，未发生行政复议、行政诉讼，未收取费用。",
    None,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_classify(kind: Kind) -> None:
    found = classify_document(document(kind.text), kind.is_filled, kind.has_form)
    assert (found[0] if found else None) == kind.code
    if found:
        assert found[0] in load_vocabulary().reject_codes
        assert found[1]


# Titles that must be read alone, with the name as printed.
TITLES = [
    ("丰 安 市 林 业 局\n2 0 1 8 年 政 府 信 息 公 开 工 作 年 度 报 告", "丰安市林业局", "丰 安 市 林 业 局", 2018),
    ("2018年\n丰安市林业局\n政府信息公开工作年度报告", "丰安市林业局", "丰安市林业局", 2018),
    ("【年度报告】丰安市林业局2018年政府信息公开工作年度报告【图文】", "丰安市林业局", "丰安市林业局", 2018),
    ("《丰安市林业局2018年政府信息公开工作年度报告》", "丰安市林业局", "丰安市林业局", 2018),
    ("丰安市林业局2018年度政府信息公开的工作报告", "丰安市林业局", "丰安市林业局", 2018),
    ("丰安市林业局\n关于2018年度政府信息公开工作年度报告的报告", "丰安市林业局", "丰安市林业局", 2018),
    ("丰安市林业局2018年政府信息公开工作年度报告（图片版）", "丰安市林业局", "丰安市林业局", 2018),
    ("首页 > 公开年报 > 丰安市林业局2018年政府信息公开工作年度报告", "丰安市林业局", "丰安市林业局", 2018),
    ("丰安市林业局2018年政府信息公开工作年度报告.docx", "丰安市林业局", "丰安市林业局", 2018),
    ("附件1：丰安市林业局2018年政府信息公开工作年度报告", "丰安市林业局", "丰安市林业局", 2018),
]


@pytest.mark.parametrize(("title", "name", "printed", "year"), TITLES)
def test_title_alone(title: str, name: str, printed: str, year: int) -> None:
    found = identify(title + body(year, "本机关"))
    assert (found.agency_name, found.agency_name_raw, found.report_year) == (name, printed, year)


def test_title_is_joined_over_lines() -> None:
    found = identify("丰安市\n林业局\n\n2018年政府信息公开\n工作年度报告" + body())
    assert found.title == "丰安市林业局2018年政府信息公开工作年度报告"


ABBREVIATIONS = [
    ("丰安市发改委", "本报告由丰安市发展和改革委员会编制。", "丰安市发展和改革委员会", "我委"),
    ("丰安市人社局", "本报告由丰安市人力资源和社会保障局编制。", "丰安市人力资源和社会保障局", "我局"),
    ("丰安市城管局", "本报告由丰安市城市管理局编制。", "丰安市城市管理局", "我局"),
    ("丰安市卫健委", "如对报告有疑问，请联系丰安市卫生健康委员会办公室。", "丰安市卫生健康委员会", "我委"),
]


@pytest.mark.parametrize(("short", "lead", "full", "own"), ABBREVIATIONS)
def test_abbreviated_title_is_made_full_by_the_text(short: str, lead: str, full: str, own: str) -> None:
    found = identify(f"{short}2015年政府信息公开工作年度报告\n{lead}" + body(2015, own))
    assert (found.agency_name, found.agency_name_raw) == (full, short)
    assert not found.issues


def test_a_bare_district_letter_does_not_replace_the_printed_name() -> None:
    text = "丰安市统计局龙山分局2017年政府信息公开工作年度报告\n如有疑问，请联系丰安市统计局龙山区分局。" + body(2017)
    assert identify(text).agency_name == "丰安市统计局龙山分局"


def test_links_to_other_years_are_not_the_title() -> None:
    links = "".join(f"丰安市林业局{year}年政府信息公开工作年度报告\n" for year in (2018, 2017, 2016))
    above = identify(links + "政府信息公开工作年度报告" + body(2019))
    assert (above.report_year, above.title) == (2019, "政府信息公开工作年度报告")
    below = identify("丰安市林业局政府信息公开工作年度报告" + body(2019) + "相关文章\n" + links)
    assert below.report_year == 2019
    assert len(find_report_titles(document(links + "丰安市林业局2019年政府信息公开工作年度报告" + body(2019)))) == 1


def test_two_reports_in_one_document_are_found() -> None:
    one = "丰安市林业局2019年政府信息公开工作年度报告" + body(2019)
    assert [t.report_year for t in find_report_titles(document(one + one))] == [2019]
    other_year = "丰安市林业局2018年政府信息公开工作年度报告" + body(2018)
    assert [t.report_year for t in find_report_titles(document(one + other_year))] == [2019, 2018]
    other_body = "丰安市水务局2019年政府信息公开工作年度报告" + body(2019)
    titles = find_report_titles(document(one + other_body))
    assert [t.agency_name_raw for t in titles] == ["丰安市林业局", "丰安市水务局"]


def test_fields_in_cells_and_columns() -> None:
    cells = "索引号\n001\n发布机构\n丰安市林业局\n发布日期\n2019-02-03\n2018年政府信息公开工作年度报告" + body()
    assert (identify(cells).agency_name, identify(cells).published_date) == ("丰安市林业局", date(2019, 2, 3))
    tabs = "信息索引\t001\t发布机构\t丰安市林业局\n2018年政府信息公开工作年度报告" + body()
    assert identify(tabs).agency_name == "丰安市林业局"


def test_labelled_publication_wins_over_writing() -> None:
    title = "丰安市林业局2017年政府信息公开工作年度报告\n"
    assert identify(title + "成文日期：2018年1月10日 发布日期：2018年1月20日" + body(2017)).published_date == date(
        2018, 1, 20
    )
    assert identify(title + "发布日期：2035-01-01" + body(2017)).published_date is None
    assert identify(title + "发布日期：2018年13月40日" + body(2017)).published_date is None


@pytest.mark.parametrize(
    ("sentence", "start", "end", "codes"),
    [
        ("统计期限自2018年1月1日起，至2018年12月31日止。", date(2018, 1, 1), date(2018, 12, 31), set()),
        ("统计时间为2018年1月1日至12月31日。", date(2018, 1, 1), date(2018, 12, 31), set()),
        ("统计期限：2018.1.1-2018.12.31", date(2018, 1, 1), date(2018, 12, 31), set()),
        ("统计期限自二〇一八年一月一日起至二〇一八年十二月三十一日止。", date(2018, 1, 1), date(2018, 12, 31), set()),
        ("统计期限自2018年1月1日至201818年12月31日止。", date(2018, 1, 1), None, {"period_unreadable"}),
        ("统计期限为2018年11日至2018年1231日。", None, None, {"period_unreadable"}),
        ("统计期限为2018年1月1日至2018年12月32日。", date(2018, 1, 1), None, {"period_unreadable"}),
        ("统计期限为2018年12月31日至2018年1月1日。", None, None, {"period_unreadable"}),
        (
            "统计期限自2017年1月1日起至2017年12月31日止。",
            date(2017, 1, 1),
            date(2017, 12, 31),
            {"period_year_mismatch"},
        ),
        ("答复期限为15个工作日。", None, None, set()),
    ],
)
def test_period(sentence: str, start: date | None, end: date | None, codes: set[str]) -> None:
    found = identify("丰安市林业局2018年政府信息公开工作年度报告\n本报告所列数据" + sentence + body())
    assert (found.period_start_date, found.period_end_date) == (start, end)
    assert {issue.issue_code for issue in found.issues} == codes
    assert found.report_year == 2018


def test_a_place_whose_text_speaks_as_a_bureau_is_flagged() -> None:
    found = identify("东山区2018年政府信息公开工作年度报告" + body())
    assert "agency_conflict" in {issue.issue_code for issue in found.issues}


def test_hints_win_and_differences_are_flagged() -> None:
    text = "丰安市林业局2019年政府信息公开工作年度报告\n发布日期：2020-01-20" + body(2019)
    found = identify(text, Hints("丰安市水务局", None, date(2020, 2, 1), Scope.SYSTEM_AGGREGATE))
    assert (found.agency_name, found.agency_name_raw) == ("丰安市水务局", "丰安市林业局")
    assert (found.published_date, found.scope) == (date(2020, 2, 1), Scope.SYSTEM_AGGREGATE)
    assert [issue.issue_code for issue in found.issues] == ["hint_conflict"] * 3
    other_year = identify(text, Hints(report_year=2018))
    assert other_year.report_year == 2018
    assert [issue.issue_code for issue in other_year.issues] == ["hint_conflict"]
    agreeing = Hints("丰安市林业局", 2019, date(2020, 1, 20), Scope.OWN)
    assert not identify(text, agreeing).issues
    silent = identify("我局公开信息若干。", Hints("丰安市林业局", 2019))
    assert {issue.issue_code for issue in silent.issues} == set()


def test_identification_is_deterministic() -> None:
    text = CASES[0].text
    assert identify(text) == identify(text)


def test_empty_document_is_survived() -> None:
    found = identify("")
    assert (found.agency_name, found.report_year, found.scope) == (None, None, Scope.UNKNOWN)
    assert find_report_titles(document("")) == []
