-- What each run measured, beside the runs before it. The band of a measure is
-- the mean of its last runs, give or take three standard deviations.
with

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

measures as (

    {{ quality_measures() }}

),

compared as (

    select
        measures.*,
        runs.command,
        runs.started_at,
        lag(measures.value) over series as previous_value,
        count(measures.value) over last_runs as band_run_count,
        avg(measures.value) over last_runs as band_mean,
        stddev_samp(measures.value) over last_runs as band_deviation
    from measures
    inner join runs
        on measures.run_id = runs.run_id
    where measures.value is not null
    window
        series as (
            partition by
                measures.subject_kind,
                measures.subject_code,
                measures.measure_code
            order by runs.started_at nulls last, runs.run_id nulls last
        ),
        last_runs as (
            partition by
                measures.subject_kind,
                measures.subject_code,
                measures.measure_code
            order by runs.started_at nulls last, runs.run_id nulls last
            rows between {{ var('drift_run_count') }} preceding and 1 preceding
        )

),

banded as (

    select
        *,
        case
            when band_run_count >= {{ var('drift_minimum_run_count') }}
                then round(band_mean - 3 * band_deviation, 6)
        end as band_low,
        case
            when band_run_count >= {{ var('drift_minimum_run_count') }}
                then round(band_mean + 3 * band_deviation, 6)
        end as band_high
    from compared

),

final as (

    select
        run_id,
        command,
        subject_kind,
        subject_code,
        measure_code,
        value,
        previous_value,
        value - previous_value as difference,
        cast(value - previous_value as double)
        / nullif(cast(abs(previous_value) as double), 0) as difference_share,
        band_run_count,
        band_low,
        band_high,
        value < band_low or value > band_high as is_outside_band,
        started_at
    from banded

)

select * from final
