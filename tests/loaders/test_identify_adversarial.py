"""Identification against pages made to mislead: bare places, titles that are missing, dates that compete, near misses.

Each page was keyed by hand before it was read. Null is the right answer where the text does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from loaders.identify import classify_document, find_report_titles, identify_report
from loaders.model import Hints
from tests.loaders.test_identify import body, document


@dataclass(frozen=True)
class Page:
    name: str
    text: str
    agency: str | None
    year: int | None
    scope: str | None = None
    published: str | None = "any"


AREA = """
一、概述
{y}年，县委、县政府高度重视政府信息公开工作。
二、主动公开情况
{y}年，全县共主动公开政府信息2841条。
三、依申请公开情况
全县共收到政府信息公开申请37件，均已答复。
四、行政复议和行政诉讼情况
全县未发生行政复议、行政诉讼。
五、存在问题
部分乡镇公开不及时。{n}年将加强督查。
"""


def area(y: int = 2018) -> str:
    return AREA.format(y=y, n=y + 1)


NO_TITLE = """一、主要工作
(一)领导。局长任组长，副局长任副组长，各科室负责人为成员，日常事务由办公室承担，材料由各科室撰写并核对，按月汇总后登记在册。
(二)制度。现有公开流程、保密审查、责任追究三项制度，本年逐项检查了执行情况，发现的遗漏当月补齐，并在科室例会上讲评。
二、公开情况
{first}
三、依申请公开情况
{second}
四、复议和诉讼情况
未发生行政复议、行政诉讼。
五、问题和打算
{third}
"""


def untitled(first: str, second: str, third: str = "更新偏慢。") -> str:
    return NO_TITLE.format(first=first, second=second, third=third)


TITLE = "丰安市林业局2017年政府信息公开工作年度报告\n"

PAGES = [
    # Bare places: the people's government only where the text prints it.
    Page(
        "bare_place_office_compiles",
        "云山县2018年政府信息公开工作年度报告\n本报告由云山县人民政府办公室编制。" + area(),
        "云山县人民政府",
        2018,
        "area_aggregate",
    ),
    Page("bare_place_nothing", "云山县2018年政府信息公开工作年度报告" + area(), "云山县", 2018, "area_aggregate"),
    Page(
        "bare_place_short_office",
        "云山县2018年政府信息公开工作年度报告\n来源：县政府办公室" + area(),
        "云山县",
        2018,
        "area_aggregate",
    ),
    Page(
        "bare_place_publisher",
        "索引号：1 发布机构：云山县人民政府办公室 发布日期：2019-03-11\n云山县2018年政府信息公开工作年度报告" + area(),
        "云山县人民政府",
        2018,
        "area_aggregate",
        "2019-03-11",
    ),
    Page(
        "bare_place_signed",
        "云山县2018年政府信息公开工作年度报告" + area() + "云山县人民政府\n2019年3月20日\n",
        "云山县人民政府",
        2018,
        "area_aggregate",
        "2019-03-20",
    ),
    Page(
        "bare_place_website",
        "云山县2018年政府信息公开工作年度报告\n本报告可在云山县人民政府门户网站查阅。" + area(),
        "云山县",
        2018,
        "area_aggregate",
    ),
    Page(
        "bare_place_other_place",
        "云山县2018年政府信息公开工作年度报告\n根据大云山县人民政府、丰安市人民政府要求编制。" + area(),
        "云山县",
        2018,
        "area_aggregate",
    ),
    Page(
        "bare_place_by_bureau",
        "云山县2018年政府信息公开工作年度报告\n本报告由云山县林业局编制。云山县人民政府高度重视。" + body(),
        "云山县",
        2018,
    ),
    Page(
        "bare_place_league",
        "云山盟2018年政府信息公开工作年度报告\n本报告由云山盟行政公署办公室编制。" + area(),
        "云山盟行政公署",
        2018,
        "area_aggregate",
    ),
    Page(
        "bare_town",
        "河湾镇2018年政府信息公开工作年度报告\n联系：河湾镇人民政府党政办。" + body(2018, "我镇"),
        "河湾镇人民政府",
        2018,
        "own",
    ),
    Page(
        "bare_place_province",
        "云山县2018年政府信息公开工作年度报告\n由湖南省云山县人民政府办公室综合各乡镇年度报告编制。" + area(),
        "湖南省云山县人民政府",
        2018,
        "area_aggregate",
    ),
    # Street offices and zones: the fullest name of oneself.
    Page(
        "street_of_government",
        "和平路街道办事处2018年政府信息公开工作年度报告\n由东河区人民政府和平路街道办事处编制。\n来源：东河区和平路街道办事处"
        + body(2018, "我街道"),
        "东河区人民政府和平路街道办事处",
        2018,
        "own",
    ),
    Page(
        "zone_short_publisher",
        "发布机构：滨江高新区管委会办公室\n滨江高新技术产业开发区管理委员会\n2018年政府信息公开工作年度报告\n"
        + body(2018, "我委"),
        "滨江高新技术产业开发区管理委员会",
        2018,
        "own",
    ),
    Page(
        "zone_called",
        "2018年政府信息公开工作年度报告\n为贯彻落实条例，临江经济开发区管理委员会（以下简称“管委会”）现公布2018年度政府信息公开工作报告。"
        + body(2018, "管委会"),
        "临江经济开发区管理委员会",
        2018,
        "own",
    ),
    # Without a title.
    Page(
        "figures_name_the_body",
        untitled(
            "2024年，我局在市政府网站公开信息310条。", "2024年，云州市交通运输局新收政府信息公开申请12件，均已答复。"
        ),
        "云州市交通运输局",
        2024,
        "own",
    ),
    Page(
        "figures_of_two_bodies",
        untitled(
            "2024年，我局公开信息310条。",
            "2024年，云州市交通运输局新收政府信息公开申请12件。2024年，云州市水务局新收政府信息公开申请3件。",
        ),
        None,
        2024,
    ),
    Page(
        "figures_of_a_superior",
        untitled("2024年，我局公开信息310条。", "2024年，云州市人民政府受理申请300件。2024年我局收到申请3件。"),
        None,
        2024,
    ),
    Page(
        "superior_bureau_in_clause",
        untitled("2024年，我局公开信息310条。", "按照云州市交通运输局要求，2024年收到的申请2件均已答复。"),
        None,
        2024,
    ),
    Page(
        "own_accounts",
        untitled(
            "2016年，我局公开信息88条。《云州市审计局2016年部门预算》公布，《云州市审计局2015年部门决算》上网。",
            "2016年收到申请0件。",
        ),
        "云州市审计局",
        2016,
    ),
    Page(
        "others_accounts",
        untitled(
            "2016年，我局公开信息88条。《云州市审计局2016年审计结果》公布，《云州市统计局统计公报》上网。",
            "2016年收到申请0件。",
        ),
        None,
        2016,
    ),
    Page(
        "accounts_of_two",
        untitled(
            "2016年，我局公开信息88条。《云州市审计局2016年部门预算》公布，《云州市统计局2016年部门预算》公布。",
            "2016年收到申请0件。",
        ),
        None,
        2016,
    ),
    Page(
        "form_line_and_prose",
        untitled("2017年度主动公开政府信息5条。", "2017年度收到申请0件。有疑问可以找云州市统计局东城分局办公室询问。")
        + "填报单位（盖章）：云州市统计局东城区分局\n",
        "云州市统计局东城分局",
        2017,
    ),
    Page(
        "form_line_fuller_than_prose",
        untitled("2017年度主动公开政府信息5条。", "2017年度收到申请0件。对报告有疑问请联系市统计局办公室。")
        + "填报单位（盖章）：云州市统计局\n",
        "云州市统计局",
        2017,
    ),
    # The year without a title.
    Page(
        "year_of_plan",
        untitled("我局公开信息5条。", "收到申请0件。", "2018年，我局将主动公开政府信息工作做细。"),
        None,
        None,
    ),
    Page(
        "year_of_comparison",
        untitled("我局公开信息5条，比2016年主动公开数少3条。", "收到申请0件，2016年收到申请4件。"),
        None,
        None,
    ),
    Page(
        "two_years_of_work",
        untitled("2016年，我局主动公开政府信息5条。", "2017年，我局收到申请3件。"),
        None,
        None,
    ),
    Page(
        "one_sentence_and_next_year_published",
        "发布日期：2018-01-20\n" + untitled("2017年主动公开政府信息5条。", "收到申请0件。"),
        None,
        2017,
        None,
        "2018-01-20",
    ),
    Page(
        "one_sentence_only",
        untitled("2017年主动公开政府信息5条。", "收到申请0件。"),
        None,
        None,
    ),
    Page(
        "published_before_the_year_ended",
        "发布日期：2017-06-20\n" + untitled("2017年主动公开政府信息5条。", "2017年度收到申请0件。"),
        None,
        None,
    ),
    # Dates.
    Page(
        "publication_over_writing",
        "成文日期：2018年1月10日 发布时间：2018年1月20日\n" + TITLE + body(2017),
        "丰安市林业局",
        2017,
        "own",
        "2018-01-20",
    ),
    Page(
        "publication_over_signature",
        TITLE + "发布时间：2018-03-22 16:08" + body(2017) + "丰安市林业局\n2018年3月18日\n",
        "丰安市林业局",
        2017,
        "own",
        "2018-03-22",
    ),
    Page(
        "repost_years_later",
        TITLE + "发布日期：2020-10-19" + body(2017) + "丰安市林业局\n2018年3月18日\n",
        "丰安市林业局",
        2017,
        "own",
        "2018-03-18",
    ),
    Page("repost_alone", TITLE + "发布日期：2020-10-19" + body(2017), "丰安市林业局", 2017, "own", "2020-10-19"),
    Page("writing_alone", TITLE + "生成日期：2018-02-19" + body(2017), "丰安市林业局", 2017, "own", "2018-02-19"),
    Page("publication_in_the_year", TITLE + "发布日期：2017-02-19" + body(2017), "丰安市林业局", 2017, "own", None),
    Page(
        "copyright_date",
        TITLE + body(2017) + "国家林业局公告2018年第3号于2018年5月6日施行",
        "丰安市林业局",
        2017,
        "own",
        None,
    ),
    # Reports that look like something else.
    Page(
        "about_the_state_of_work",
        "丰安市林业局关于2021年政府信息公开工作情况的报告" + body(2021),
        "丰安市林业局",
        2021,
        "own",
    ),
    Page(
        "about_without_body",
        "关于2021年政府信息公开工作情况的报告\n丰安市林业局" + body(2021),
        "丰安市林业局",
        2021,
        "own",
    ),
    Page(
        "quotes_the_notice",
        "丰安市林业局2021年政府信息公开工作年度报告\n根据《丰安市人民政府办公室关于做好2021年政府信息公开工作年度报告编制工作的通知》（丰政办〔2021〕5号）要求，现将我局2021年政府信息公开工作年度报告公布如下。"
        + body(2021),
        "丰安市林业局",
        2021,
        "own",
    ),
    Page(
        "long_navigation",
        "".join(f"丰安市{x}局\n" for x in ("教育", "公安", "民政", "财政", "审计", "统计", "水务", "交通运输") * 4)
        + "通知公告\n政策解读\n政府信息公开制度\n政府信息公开指南\n"
        + "丰安市林业局2021年政府信息公开工作年度报告\n发布时间：2022-01-20"
        + body(2021)
        + "相关链接\n丰安市人民政府网站\n丰安市财政局\n",
        "丰安市林业局",
        2021,
        "own",
        "2022-01-20",
    ),
    Page(
        "old_dates_in_a_list",
        untitled("2017年主动公开政府信息5条。", "2017年度收到申请0件。") + "2015-03-02\n2016-04-01\n",
        None,
        2017,
    ),
    # A second set, keyed after the rules were written.
    Page(
        "named_without_title_place",
        "现将云山县2018年度政府信息公开工作情况报告如下：\n云山县人民政府办公室\n2019年3月2日" + area(),
        "云山县人民政府",
        2018,
        "area_aggregate",
        "2019-03-02",
    ),
    Page(
        "bare_place_speaks_as_bureau",
        "云山县2018年政府信息公开工作年度报告\n按照云山县人民政府要求编制。" + body(2018, "我局"),
        "云山县",
        2018,
    ),
    Page(
        "place_in_footer",
        "云山县2018年政府信息公开工作年度报告" + area() + "主办：云山县人民政府办公室 备案号：湘ICP备1号",
        "云山县人民政府",
        2018,
        "area_aggregate",
    ),
    Page(
        "department_is_not_its_place",
        "云山县林业局2018年政府信息公开工作年度报告\n发布机构：云山县人民政府办公室" + body(),
        "云山县林业局",
        2018,
        "own",
    ),
    Page(
        "general_office_stays",
        "云山县人民政府办公室2018年政府信息公开工作年度报告\n发布机构：云山县人民政府" + body(2018, "我办"),
        "云山县人民政府办公室",
        2018,
        "own",
    ),
    Page(
        "autonomous_place",
        "白水苗族自治县2018年政府信息公开工作年度报告\n由白水苗族自治县人民政府办公室综合各部门年度报告编制。" + area(),
        "白水苗族自治县人民政府",
        2018,
        "area_aggregate",
    ),
    Page(
        "city_and_district_alike",
        "朝阳区2018年政府信息公开工作年度报告\n由长春市朝阳区人民政府办公室编制。" + area(),
        "长春市朝阳区人民政府",
        2018,
        "area_aggregate",
    ),
    Page(
        "figures_with_own_agency_only",
        untitled(
            "2023年，云州市生态环境局主动公开政府信息310条。", "2023年度，云州市生态环境局收到政府信息公开申请9件。"
        ),
        "云州市生态环境局",
        2023,
    ),
    Page(
        "superior_figures_in_bureau_without_self",
        untitled("2023年，本机关主动公开信息310条。", "2023年，云州市人民政府受理政府信息公开行政复议9件。"),
        None,
        2023,
    ),
    Page(
        "award_of_last_year",
        untitled("2016年我局被评为政府信息公开工作先进单位。主动公开信息8条。", "收到申请0件。"),
        None,
        None,
    ),
    Page(
        "link_to_another_year",
        untitled("主动公开信息8条。", "收到申请0件。")
        + "相关：我局2015年政府信息公开工作制度、2016年政府信息公开工作安排",
        None,
        None,
    ),
    Page(
        "regulation_year",
        untitled("2019年修订的条例施行后，我局主动公开信息8条。", "自2019年起收到申请0件。"),
        None,
        None,
    ),
    Page(
        "carried_over",
        untitled("2020年，我局主动公开政府信息8条。", "2020年收到申请9件，2019年结转申请2件，结转至2021年办理1件。"),
        None,
        2020,
    ),
    Page(
        "form_line_of_other_body",
        untitled("2017年度主动公开政府信息5条。", "2017年度收到申请0件。请联系云州市水务局办公室。")
        + "填报单位（盖章）：云州市林业局\n",
        "云州市林业局",
        2017,
    ),
    Page(
        "traditional_bare_place",
        "雲山縣2018年政府資訊公開工作年度報告\n本報告由雲山縣人民政府辦公室編制。\n2018年，全縣主動公開政府資訊128條，"
        "收到政府資訊公開申請5件。\n",
        "云山县人民政府",
        2018,
        "area_aggregate",
    ),
    Page(
        "time_label",
        TITLE + "时间：2018-03-12 来源：丰安市林业局" + body(2017),
        "丰安市林业局",
        2017,
        "own",
        "2018-03-12",
    ),
    Page(
        "two_publications",
        "公开日期：2018-03-15\n" + TITLE + "发布时间：2018-03-12" + body(2017),
        "丰安市林业局",
        2017,
        "own",
        "2018-03-12",
    ),
    Page(
        "updated_is_not_published",
        TITLE + "更新时间：2018-05-01\n成文日期：2018-01-20" + body(2017),
        "丰安市林业局",
        2017,
        "own",
        "2018-01-20",
    ),
    Page(
        "written_and_head_line",
        TITLE + "（2018年3月1日）\n" + body(2017) + "填报日期：2018年2月1日",
        "丰安市林业局",
        2017,
        "own",
        "2018-03-01",
    ),
    Page(
        "zone_office_in_title",
        "滨江经开区2018年政府信息公开工作年度报告\n由滨江经济技术开发区管委会编制。" + body(2018, "我委"),
        "滨江经济技术开发区管委会",
        2018,
        "own",
    ),
    Page(
        "branch_of_bureau",
        "2018年政府信息公开工作年度报告\n由云州市自然资源和规划局东城分局编制。" + body(2018, "我分局"),
        "云州市自然资源和规划局东城分局",
        2018,
        "own",
    ),
    Page(
        "superior_after_comma",
        "2018年政府信息公开工作年度报告\n在市政府领导下，云州市政务公开办对各单位公布的年度报告进行检查。"
        + body(2018, "本机关"),
        None,
        2018,
    ),
    Page(
        "quoted_report_of_superior",
        "2018年政府信息公开工作年度报告\n参照《云州市人民政府2017年政府信息公开工作年度报告》的格式编写。" + body(2018),
        None,
        2018,
    ),
    Page(
        "contact_of_superior",
        "2018年政府信息公开工作年度报告\n对本报告有疑问可以找云州市政务服务管理局询问。" + body(2018, "我委"),
        None,
        2018,
    ),
    Page(
        "two_lines_year_first",
        "2018年度\n云州市林业局关于政府信息公开工作情况的报告" + body(),
        "云州市林业局",
        2018,
        "own",
    ),
    Page(
        "copied_period_and_title",
        "云州市林业局2018年政府信息公开工作年度报告\n统计期限自2017年1月1日起至2017年12月31日止。" + body(),
        "云州市林业局",
        2018,
        "own",
    ),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_identity(page: Page) -> None:
    found = identify_report(document(page.text), Hints(), None)
    assert (found.agency_name, found.report_year) == (page.agency, page.year)
    if page.scope is not None:
        assert found.scope.value == page.scope
    if page.published != "any":
        assert found.published_date == (date.fromisoformat(page.published) if page.published else None)
    codes = {issue.issue_code for issue in found.issues}
    assert ("agency_unknown" in codes) == (page.agency is None)
    assert ("report_year_unknown" in codes) == (page.year is None)
    for evidence in found.evidence:
        assert evidence.snippet
        if evidence.place is not None and evidence.rule != "title":
            assert page.text[evidence.place.start : evidence.place.end] == evidence.snippet


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_they_are_reports(page: Page) -> None:
    assert classify_document(document(page.text), False, False) is None
    assert len(find_report_titles(document(page.text))) <= 1


REJECTED = [
    (
        "interpretation_with_figures",
        "一图读懂丰安市林业局2021年政府信息公开工作年度报告\n发布时间：2022-02-01\n主动公开\n"
        "全年主动公开政府信息128条\n依申请公开\n收到政府信息公开申请5件\n"
        "行政复议0件 行政诉讼0件\n存在问题\n公开内容不够丰富\n",
    ),
    (
        "reading_of_the_report",
        "《丰安市林业局2021年政府信息公开工作年度报告》解读\n"
        "一、报告的主要内容\n2021年，我局主动公开政府信息128条，收到申请5件。\n二、编制背景\n依据条例编制。\n三、下一步打算\n继续做好公开工作。\n",
    ),
    (
        "summary_of_work",
        "丰安市林业局2021年政务公开工作总结\n2021年，我局主动公开政府信息128条，收到政府信息公开申请5件，未发生行政复议。\n"
        "一、加强领导\n二、主动公开情况\n三、依申请公开情况\n四、存在的问题\n",
    ),
    (
        "plan_of_work",
        "丰安市林业局2021年政务公开工作要点\n一、主动公开\n主动公开政府信息不少于120条。\n二、依申请公开\n三、培训\n举办培训2次。\n",
    ),
    (
        "news_of_the_report",
        "丰安市林业局发布2021年政府信息公开工作年度报告\n近日，丰安市林业局发布2021年度报告。报告显示，2021年主动公开政府信息128条，收到申请5件。\n",
    ),
    (
        "notice_with_last_years_figures",
        "丰安市人民政府办公室关于2021年政府信息公开工作情况的通报\n各县（市、区）人民政府：\n2021年全市主动公开政府信息12800条，收到申请500件，发生行政复议8件。现予以通报。\n一、总体情况\n二、主动公开情况\n三、存在的问题\n",
    ),
    (
        "assessment",
        "丰安市2021年政府信息公开工作第三方评估报告\n一、评估概况\n评估对象为42个部门。\n二、主动公开\n得分85分，公开信息5000条。\n三、依申请公开\n寄出申请42件。\n四、存在问题\n",
    ),
    (
        "half_year",
        "丰安市林业局2021年上半年政府信息公开工作报告" + body(2021),
    ),
    (
        "guide_with_years",
        "丰安市林业局政府信息公开指南\n一、主动公开\n2021年主动公开政府信息120条。\n二、依申请公开\n受理机构：办公室。\n三、收费\n四、监督\n可申请行政复议。\n",
    ),
    (
        "school_report",
        "丰安市2021年法治政府建设工作情况的报告\n一、主要工作\n主动公开政府信息120条。\n二、行政复议\n收到行政复议30件。\n三、存在问题\n",
    ),
    (
        "inspection_report",
        "丰安市林业局2021年政府信息公开工作自查报告\n一、总体情况\n2021年主动公开政府信息128条，收到申请5件。\n"
        "二、主动公开情况\n三、依申请公开情况\n四、存在问题\n",
    ),
    (
        "training_news",
        "丰安市林业局举办2021年政府信息公开工作年度报告编制培训\n"
        "1月5日，丰安市林业局举办培训，118人参加。2021年该局主动公开政府信息128条，收到申请5件，行政复议1件。\n",
    ),
    (
        "duty_report",
        "2021年度述职报告\n一、主要工作\n主动公开政府信息128条，收到申请5件。\n二、存在问题\n三、今后打算\n",
    ),
    (
        "statistics_quarter",
        "丰安市林业局2021年第三季度政府信息公开情况统计\n主动公开政府信息128条\n收到申请5件\n行政复议0件\n",
    ),
    (
        "template",
        "××局20××年政府信息公开工作年度报告\n一、总体情况\n20××年，××局主动公开政府信息××条，收到申请××件。\n"
        "二、主动公开政府信息情况\n三、存在的主要问题\n",
    ),
    (
        "opinion_page",
        "关于进一步加强政府信息公开工作的实施意见\n各乡镇人民政府：\n一、总体要求\n二、主动公开\n公开率100%，不少于120条。\n三、依申请公开\n四、监督\n",
    ),
]


@pytest.mark.parametrize(("name", "text"), REJECTED, ids=lambda v: v if len(v) < 40 else "")
def test_they_are_no_reports(name: str, text: str) -> None:
    found = classify_document(document(text), False, False)
    assert found is not None, name
    assert found[0] == "not_a_report", name
