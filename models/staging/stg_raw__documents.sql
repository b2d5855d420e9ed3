with

source as (

    select * from {{ source('raw', 'documents') }}

),

final as (

    select
        document_id,
        run_id,
        source_uri,
        media_type,
        script,
        status as document_status,
        reject_code,
        loader_version,
        byte_count,
        loaded_at
    from source

)

select * from final
