-- Question: whose reports are the best and the worst sources at each level?
-- Read: the three highest and lowest overall scores of a level and year, first
-- the highest. The four scores beside it say what made the place;
-- docs/scorecard.md has the formula.
-- Caveats: the score judges a report as a source of statistics, not the body's
-- openness, and what was not loaded, such as a table in an attachment, counts
-- as missing. Reports with fewer than three criteria are left out.
with

scores as (

    select * from {{ ref('rpt_report_scorecard') }}
    where criterion_count >= 3

),

agencies as (

    select * from {{ ref('dim_agency') }}

),

ranked as (

    select
        scores.*,
        agencies.level_code,
        row_number() over (
            partition by agencies.level_code, scores.report_year
            order by
                scores.overall_score desc nulls last,
                scores.report_id asc nulls last
        ) as best_rank,
        row_number() over (
            partition by agencies.level_code, scores.report_year
            order by
                scores.overall_score asc nulls last,
                scores.report_id desc nulls last
        ) as worst_rank
    from scores
    inner join agencies
        on scores.agency_key = agencies.agency_key

),

final as (

    select
        level_code,
        report_year,
        best_rank,
        agency_name,
        overall_score,
        completeness_score,
        consistency_score,
        timeliness_score,
        evidence_score,
        criterion_count,
        report_id
    from ranked
    where best_rank <= 3 or worst_rank <= 3

)

select * from final
order by
    level_code asc nulls last,
    report_year asc nulls last,
    best_rank asc nulls last
