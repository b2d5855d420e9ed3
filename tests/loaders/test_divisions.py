"""The division that a body's name begins with: by year, and never one of several."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest

from loaders.identify.divisions import resolve_division
from loaders.model import Hints
from loaders.reading import read_document
from loaders.vocabulary import SEEDS

NAMED = [
    # The whole chain, parts of it, the place alone.
    ("北京市西城区统计局", 2018, "110102"),
    ("北京西城区统计局", 2018, "110102"),
    ("西城区统计局", 2018, "110102"),
    ("四川省成都市统计局", 2018, "510100"),
    ("成都市统计局", 2018, "510100"),
    ("北京市大兴区统计局", 2020, "110115"),
    ("浙江省杭州市余杭区人民政府", 2020, "330110"),
    ("江苏省昆山市人民政府", 2015, "320583"),
    ("江苏省苏州市昆山市人民政府", 2015, "320583"),
    ("昆山市玉山镇人民政府", 2015, "320583"),
    ("西城区展览路街道办事处", 2018, "110102"),
    ("成都市锦江区春熙路街道办事处", 2019, "510104"),
    ("公安县人民政府", 2016, "421022"),
    ("忠县人民政府", 2016, "500233"),
    ("重庆市忠县人民政府办公室", 2016, "500233"),
    ("济南市市中区人民政府", 2017, "370103"),
    ("乌鲁木齐市新市区人民政府", 2017, "650104"),
    ("河南省济源市人民政府", 2017, "419001"),
    ("海南省澄迈县人民政府", 2017, "469023"),
    ("石河子市人民政府", 2017, "659001"),
    ("三沙市人民政府", 2017, "460300"),
    ("上海市浦东新区人民政府", 2017, "310115"),
    ("天津滨海新区人民政府", 2017, "120116"),
    # Provinces, by their whole and short names.
    ("吉林省统计局", 2018, "220000"),
    ("广东省人民政府办公厅", 2018, "440000"),
    ("北京市人民政府", 2018, "110000"),
    ("内蒙古自治区统计局", 2018, "150000"),
    ("广西壮族自治区统计局", 2018, "450000"),
    ("宁夏自治区统计局", 2018, "640000"),
    ("广西统计局", 2018, "450000"),
    ("浙江省统计局", None, "330000"),
    ("香港特别行政区政府", 2018, "810000"),
    # Autonomous places by their customary names.
    ("延边州统计局", 2018, "222400"),
    ("延边朝鲜族自治州统计局", 2018, "222400"),
    ("凉山州西昌市人民政府", 2018, "513401"),
    ("酉阳县人民政府", 2018, "500242"),
    ("郑州市管城区人民政府", 2018, "410104"),
    ("锡林郭勒盟行政公署", 2018, "152500"),
    ("大兴安岭地区行政公署", 2018, "232700"),
    # A name of two divisions that its end or its prefix tells apart.
    ("吉林市统计局", 2018, "220200"),
    ("吉林市龙潭区统计局", 2018, "220203"),
    ("吉林龙潭区统计局", 2018, "220203"),
    ("南京市鼓楼区人民政府", 2018, "320106"),
    ("福州市鼓楼区人民政府", 2018, "350102"),
    ("北京市朝阳区统计局", 2018, "110105"),
    ("长春市朝阳区统计局", 2018, "220104"),
    ("大同市城区人民政府", 2016, "140202"),
    # A branch of a city's office is of the district.
    ("吉林市统计局龙潭分局", 2017, "220203"),
    ("杭州市规划和自然资源局余杭分局", 2018, "330110"),
    ("上海市公安局浦东分局", 2018, "310115"),
    ("北京市公安局西城分局", 2018, "110102"),
    ("成都市公安局高新分局", 2018, "510100"),
    ("杭州市公安局西湖风景名胜区分局", 2018, "330100"),
    # Zones are of the division that is named before them.
    ("苏州工业园区管理委员会", 2018, "320500"),
    ("杭州市西湖风景名胜区管理委员会", 2018, "330100"),
    ("成都高新技术产业开发区管理委员会", 2018, "510100"),
    ("重庆两江新区管理委员会", 2018, "500000"),
    ("昆山市高新区管理委员会", 2018, "320583"),
    # A body of the State in a place.
    ("国家税务总局成都市税务局", 2019, "510100"),
    ("国家税务总局北京市西城区税务局", 2019, "110102"),
    # Renamed, raised and moved places.
    ("杭州市下城区统计局", 2018, "330103"),
    ("襄樊市人民政府", 2009, "420600"),
    ("襄阳市人民政府", 2012, "420600"),
    ("双流县人民政府", 2012, "510122"),
    ("成都市双流区人民政府", 2017, "510116"),
    ("简阳市人民政府", 2014, "512081"),
    ("简阳市人民政府", 2018, "510185"),
    ("沙县人民政府", 2015, "350427"),
    ("北京市崇文区统计局", 2009, "110103"),
    ("莱芜市人民政府", 2016, "371200"),
    # Words that only look like an end of a place.
    ("成都市城市管理局", 2018, "510100"),
    ("成都市市场监督管理局", 2018, "510100"),
    ("南京市市政公用局", 2018, "320100"),
    ("成都市社区发展治理委员会", 2018, "510100"),
]
UNNAMED = [
    # Several divisions of that name.
    ("鼓楼区人民政府", 2018),
    ("朝阳区统计局", 2018),
    ("吉林统计局", 2018),
    ("河北省桥西区人民政府", 2014),
    ("城区人民政府", 2016),
    ("西区街道办事处", 2018),
    # No place at all.
    ("国家发展和改革委员会", 2018),
    ("教育部", 2018),
    ("国家税务总局", 2019),
    ("国家统计局", 2019),
    ("中国气象局", 2018),
    ("海关总署", 2018),
    ("市统计局", 2018),
    ("县人民政府办公室", 2018),
    ("某某市统计局", 2018),
    ("公安局", 2018),
    ("", 2018),
    # A name that is not that of the place.
    ("新疆生产建设兵团统计局", 2018),
    ("雄安新区管理委员会", 2020),
    ("滨海新区管理委员会", 2018),
    ("中山街道办事处", 2018),
    ("海口镇人民政府", 2018),
    ("城关镇人民政府", 2018),
    ("南京海关", 2018),
    ("北京大学", 2018),
    # Of another year.
    ("杭州市下城区统计局", 2024),
    ("下城区统计局", 2024),
    ("北京市崇文区统计局", 2015),
    ("襄樊市人民政府", 2018),
    ("莱芜市人民政府", 2022),
    ("深圳市龙华区人民政府", 2010),
    # Without a year a name must mean one division.
    ("简阳市人民政府", None),
    ("鼓楼区人民政府", None),
    # A district whose end is left out, or that is not in the list.
    ("吉林市龙潭统计局", 2018),
    ("成都市梦想区人民政府", 2018),
]


@pytest.mark.parametrize(("name", "year", "code"), NAMED)
def test_a_name_gives_its_division(name: str, year: int | None, code: str) -> None:
    assert resolve_division(name, year) == code


@pytest.mark.parametrize(("name", "year"), UNNAMED)
def test_a_name_without_one_division_gives_none(name: str, year: int | None) -> None:
    assert resolve_division(name, year) is None


def test_a_change_counts_a_year_early_or_late() -> None:
    assert resolve_division("莱芜市人民政府", 2018) == "371200"
    assert resolve_division("杭州市临平区人民政府", 2020) == "330113"
    assert resolve_division("杭州市下城区人民政府", 2021) == "330103"
    assert resolve_division("杭州市下城区人民政府", 2022) is None


def test_years_outside_the_list_take_its_ends() -> None:
    assert resolve_division("成都市统计局", 2004) == "510100"
    assert resolve_division("杭州市临平区统计局", 2026) == "330113"


def rows() -> list[dict[str, str]]:
    with (SEEDS / "divisions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_division_is_found_by_its_full_name() -> None:
    wrong = []
    for row in rows():
        for year in {int(row["valid_from_year"]), int(row["valid_to_year"] or 2024)}:
            code = resolve_division(f"{row['full_name_zh']}统计局", year)
            if code != row["division_code"]:
                wrong.append((row["full_name_zh"], year, row["division_code"], code))
    assert not wrong


def test_a_county_alone_is_never_given_to_one_of_several() -> None:
    bearers: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows():
        if row["level_code"] == "county":
            bearers[row["name_zh"]].append(row)
    shared = 0
    for name, found in bearers.items():
        valid = {
            r["division_code"] for r in found if int(r["valid_from_year"]) <= 2019 <= int(r["valid_to_year"] or 9999)
        }
        if len(valid) > 1:
            shared += 1
            assert resolve_division(f"{name}统计局", 2019) is None, name
    assert shared >= 25


def test_a_report_carries_the_division_of_its_body() -> None:
    text = "吉林市统计局龙潭分局2017年政府信息公开工作年度报告\n一、概述\n主动公开政府信息85条。\n全年未收到申请。\n"
    (report,) = read_document(text.encode(), "a.txt").reports
    assert report.identity.division_code == "220203"
    hinted = read_document(text.encode(), "a.txt", Hints("吉林市统计局", 2017)).reports[0]
    assert hinted.identity.division_code == "220200"


def test_a_manifest_in_traditional_names_the_same_body() -> None:
    text = "2017年政府信息公开工作年度报告\n一、概述\n主动公开政府信息85条。\n全年未收到申请。\n"
    report = read_document(text.encode(), "a.txt", Hints("北京市西城區統計局", 2017)).reports[0]
    assert (report.identity.agency_name, report.identity.division_code) == ("北京市西城区统计局", "110102")
