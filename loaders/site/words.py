"""The words of the site: every label in Chinese and in English, and what codes and columns are called.

Labels of metrics, applicant types, issues, levels, kinds, scopes and forms are rows of seeds and do not stand here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from loaders.inspect_figures import issue_words, metric_words, seed_words
from loaders.vocabulary import read_seed


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    zh: str
    en: str

    @property
    def is_same(self) -> bool:
        """Whether one text serves both readers."""
        return self.zh == self.en


def only(text: str) -> Words:
    """A text that there is in one language, shown to both readers."""
    return Words(text, text)


# Columns that no mart has; those of the marts are rows of the seed column_words.
_OTHER_COLUMNS = {
    "statement": Words("应当如此", "What should hold"),
    "sides": Words("原文数字", "What is printed"),
    "reject_code": Words("拒收原因", "Why rejected"),
    "issue_code": Words("问题", "Issue"),
    "message": Words("说明", "Message"),
    "label": Words("原因", "Reason"),
    "started_at": Words("运行时间", "Run"),
    "run_id": Words("运行编号", "Run id"),
    "command": Words("命令", "Command"),
    "subject_kind": Words("对象类型", "Kind of subject"),
    "measure_code": Words("量度", "Measure"),
    "difference": Words("变化", "Change"),
    "difference_share": Words("变化率", "Relative change"),
    "band_low": Words("下限", "Band from"),
    "band_high": Words("上限", "Band to"),
    "band_run_count": Words("参照次数", "Runs in the band"),
    "is_outside_band": Words("超出范围", "Outside the band"),
}

_CODES = {
    "severity": {
        "critical": Words("严重", "critical"),
        "warning": Words("警告", "warning"),
        "info": Words("提示", "info"),
        "error": Words("表式要求", "demanded by the form"),
        "warn": Words("通常成立", "expected"),
    },
    "finding_kind": {
        "identity": Words("勾稽不符", "identity fails"),
        "contradiction": Words("正文与表格不符", "text contradicts table"),
    },
    "status": {
        "had": Words("已有", "had"),
        "quarantined": Words("被隔离", "quarantined"),
        "unreadable": Words("无法读取", "unreadable"),
        "missing": Words("缺失", "missing"),
        "on_time": Words("按期", "on time"),
        "late": Words("逾期", "late"),
        "unknown_date": Words("日期不明", "date unknown"),
        "unknown_kind": Words("机关类别不明", "kind of body unknown"),
        "no_deadline": Words("无法定期限", "no deadline"),
        "applied": Words("已套用", "applied"),
        "document_not_loaded": Words("文件未装载", "document not loaded"),
        "stale": Words("原文已变", "source changed"),
        "ambiguous": Words("所指不唯一", "ambiguous"),
    },
    "subject_kind": {
        "expectation": Words("规则", "rule"),
        "dbt_model": Words("dbt 模型", "dbt model"),
        "dbt_test": Words("dbt 检验", "dbt test"),
        "dbt_seed": Words("dbt 种子表", "dbt seed"),
        "dbt_exposure": Words("dbt 用途", "dbt exposure"),
        "dbt_operation": Words("dbt 操作", "dbt operation"),
        "table": Words("表", "table"),
        "step": Words("步骤", "step"),
    },
    "measure_code": {
        "failed": Words("未通过", "failed"),
        "unexpected_rows": Words("不符行数", "unexpected rows"),
        "observed_value": Words("观测值", "observed value"),
        "row_count": Words("行数", "rows"),
        "execution_seconds": Words("执行秒数", "execution, s"),
        "wall_seconds": Words("历时秒数", "wall time, s"),
        "cpu_seconds": Words("处理器秒数", "processor time, s"),
        "peak_memory_mb": Words("内存峰值（MB）", "peak memory, MB"),
    },
    "date_doubt": {
        "not_stated": Words("文中未注明", "not stated"),
        "before_year_end": Words("早于年度结束", "before the end of the year"),
        "after_publication_year": Words("晚于应公布年度", "after the year of publication"),
    },
    "reliability": {
        "consistent": Words("勾稽相符", "consistent"),
        "unchecked": Words("无从核对", "unchecked"),
        "source_inconsistent": Words("原文自相矛盾", "source inconsistent"),
        "extraction_suspect": Words("读取存疑", "extraction suspect"),
    },
}
_CODE_IN_WORDS = re.compile(r"（([a-z][a-z0-9_]+)）")
_SEEDS = {
    "level_code": ("agency_levels", "level_code"),
    "kind_code": ("agency_kinds", "kind_code"),
    "scope_code": ("scopes", "scope_code"),
    "form_code": ("forms", "form_code"),
}


def column_words(name: str) -> Words:
    """What a column is called; its own name where no words are kept."""
    return _mart_columns().get(name) or _OTHER_COLUMNS.get(name) or only(name)


@lru_cache(maxsize=1)
def _mart_columns() -> dict[str, Words]:
    return {row["column_name"]: Words(row["label_zh"], row["label_en"]) for row in read_seed("column_words")}


def code_words(column: str, code: str) -> Words:
    """What a code of a column means; the code itself where it is not known."""
    known = _CODES.get(column, {}).get(code)
    if known is not None:
        return known
    labels = ("", "")
    if column in _SEEDS:
        labels = seed_words(*_SEEDS[column]).get(code, labels)
    elif column == "metric_code":
        labels = metric_words(code)
    elif "reject_code" in column or "issue_code" in column or column == "reason_code":
        return _issues(code)
    return Words(labels[0] or code, labels[1] or code)


def statement_words(statement_zh: str | None, statement_en: str | None) -> Words:
    """An identity in words; a metric that the Chinese names by its code is named by its label in both languages."""
    labels = [metric_words(code) for code in _CODE_IN_WORDS.findall(statement_zh or "")]
    english = ", ".join(label_en for _, label_en in labels if label_en)
    return Words(
        _CODE_IN_WORDS.sub(lambda found: f"（{metric_words(found[1])[0] or found[1]}）", statement_zh or ""),
        (statement_en or "") + (f" ({english})" if english else ""),
    )


def _issues(codes: str) -> Words:
    """Codes of issues joined by 、, in words; the English of a code is the code itself."""
    labels = [issue_words().get(code, {}).get("label_zh") or code for code in codes.split("、")]
    return Words("、".join(labels), ", ".join(codes.split("、")))
