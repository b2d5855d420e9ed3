with

source as (

    select * from {{ source('raw', 'runs') }}

),

final as (

    select
        run_id,
        command,
        status as run_status,
        loader_version,
        versions,
        seen_count,
        loaded_count,
        unchanged_count,
        rejected_count,
        started_at,
        ended_at
    from source

)

select * from final
