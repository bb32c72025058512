/** Forward only. A migration that was applied anywhere is never changed: its checksum is kept beside it. */
export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'archive and generations',
    sql: `
create table headgate.archive (
  project text not null,
  epoch bigint not null,
  position bigint not null,
  stream_sequence bigint not null,
  event_id uuid not null unique,
  type text not null,
  kind text not null,
  aggregate_id text not null,
  at bigint not null,
  prev_hash text not null,
  hash text not null,
  event text not null,
  archived_at timestamptz not null default now(),
  primary key (project, position)
);
create index archive_aggregate on headgate.archive (project, kind, aggregate_id, position);
create table headgate.generation (id int primary key check (id = 1), active int not null);
insert into headgate.generation values (1, 0);
`,
  },
  {
    // Not of a generation: usage is no fold of the log, and a rebuild of the views must not lose it.
    id: 2,
    name: 'flag usage',
    sql: `
create table headgate.usage_checkpoint (
  id int primary key check (id = 1),
  stream_created text not null,
  stream_sequence bigint not null,
  received_at bigint not null,
  skipped bigint not null
);
insert into headgate.usage_checkpoint values (1, '', 0, 0, 0);
create table headgate.usage_channel (
  project text not null,
  channel text not null,
  first_at bigint not null,
  last_at bigint not null,
  dropped_variants bigint not null,
  dropped_unknown bigint not null,
  primary key (project, channel)
);
create table headgate.usage_boot (
  project text not null,
  channel text not null,
  instance text not null,
  boot_id text not null,
  seq bigint not null,
  last_at bigint not null,
  counts jsonb not null,
  primary key (project, channel, instance, boot_id)
);
create index usage_boot_age on headgate.usage_boot (last_at);
create table headgate.usage_variant (
  project text not null,
  channel text not null,
  flag_key text not null,
  variant text not null,
  source text not null,
  count bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  instances bytea not null,
  primary key (project, channel, flag_key, variant, source)
);
create table headgate.usage_unknown (
  project text not null,
  channel text not null,
  flag_key text not null,
  first_at bigint not null,
  last_at bigint not null,
  instances bytea not null,
  primary key (project, channel, flag_key)
);
`,
  },
  {
    // What the log can hold, Postgres must: jsonb refuses \u0000, json keeps the text as it is. And another writer may use an id twice.
    id: 3,
    name: 'every event of the log',
    sql: `
alter table headgate.archive drop constraint archive_event_id_key;
do $$
declare
  generation int;
  name text;
begin
  select active into generation from headgate.generation;
  foreach name in array array['project', 'channel', 'flag', 'segment', 'rollout', 'token'] loop
    if to_regclass(format('headgate_g%s.%I', generation, name)) is not null then
      execute format('drop view if exists headgate.%I', name);
      execute format('alter table headgate_g%s.%I alter column view type json using view::text::json', generation, name);
    end if;
  end loop;
end $$;
`,
  },
];

/**
 * Views of the API, one table each; same columns, so that one statement writes any of them. `view` is json, not jsonb: it is read
 * whole, and jsonb has no place for NUL.
 */
export const VIEW_TABLES = ['project', 'channel', 'flag', 'segment', 'rollout', 'token'] as const;
export type ViewTableName = (typeof VIEW_TABLES)[number];

/**
 * Empty tables of one generation, those that it does not have: a table that a newer version brings has no rows in an older
 * one's log. Nothing else of a generation is ever altered; it is rebuilt from the log.
 */
export const viewTablesSql = (schema: string): string =>
  VIEW_TABLES.map(
    (table) => `
create table if not exists ${schema}.${table} (
  project text not null,
  id text not null,
  name text not null,
  created_at bigint not null,
  view json not null,
  primary key (project, id)
);
create index if not exists ${table}_name on ${schema}.${table} (project, name);`,
  ).join('');

/** Fresh, empty tables of one generation. */
export const generationSql = (schema: string): string => `
create schema ${schema};
${viewTablesSql(schema)}
create table ${schema}.checkpoint (
  id int primary key check (id = 1),
  stream_created text not null,
  stream_sequence bigint not null,
  heads jsonb not null
);
insert into ${schema}.checkpoint values (1, '', 0, '{}');
`;

/** Points the names that readers use at one generation, in one transaction with whatever surrounds it. */
export const activationSql = (schema: string, generation: number): string => `
${[...VIEW_TABLES, 'checkpoint'].map((table) => `create or replace view headgate.${table} as select * from ${schema}.${table};`).join('\n')}
update headgate.generation set active = ${generation};
`;
