-- No registry yet: a body is told by its name as read. A report that names
-- none, or a name that says no place (two counties have a 统计局 each), is a
-- body of its own, so that different bodies are never merged.
with

reports as (

    select * from {{ ref('stg_raw__reports') }}

),

normalised as (

    select
        report_id,
        agency_name,
        -- Width of brackets and white space differ between printings.
        replace(
            replace(replace(replace(
                agency_name, '（', '('
            ), '）', ')'), ' ', ''), '　', ''
        ) as normalised_name
    from reports

),

identified as (

    select
        report_id,
        agency_name,
        'prov-' || substr(md5(
            case
                when {{ names_a_place('normalised_name') }}
                    then 'name:' || normalised_name
                else 'report:' || report_id
            end
        ), 1, 16) as agency_id
    from normalised

),

final as (

    select
        report_id,
        {{ surrogate_key(['agency_id', 'null']) }} as agency_key,
        agency_id,
        agency_name
    from identified

)

select * from final
