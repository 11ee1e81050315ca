// The shapes of /live, for the type checker alone: internal/live/snapshot.go and
// docs/monitor.md say what they mean.

export type Column = (number | null)[];

export interface Slots {
  step: number;
  time: number[];
  requests: Column;
  bytes: Column;
  classes: Record<string, number[]>;
  p50: Column;
  p95: Column;
  p99: Column;
}

export interface Row {
  name: string;
  requests: number;
  client_errors: number;
  server_errors: number;
  bytes: number;
  mean: number | null;
  p95: number | null;
}

export type TopList = 'paths' | 'failing' | 'refused' | 'slowest' | 'clients' | 'agents' | 'bots' | 'methods' | 'statuses' | 'hosts' | 'referrers' | 'sources';

export type Top = { sampled: number; full: string[] } & Record<TopList, Row[] | null>;

export interface Snapshot {
  at: string;
  total: { requests: number; client_errors: number; server_errors: number; bytes: number; p50: number | null; p95: number | null; p99: number | null };
  slots: Slots;
  top: Top;
}

export interface LiveRequest {
  time: string;
  source: string;
  client?: string;
  method?: string;
  path?: string;
  host?: string;
  status?: string;
  bytes: number | null;
  seconds: number | null;
  agent?: string;
}

export interface Channel { length: number; capacity: number; lines: number; bytes: number }

export interface Source {
  name: string;
  path: string;
  open: boolean;
  trouble?: string;
  offset: number;
  size: number;
  lag_bytes: number;
  lag_seconds: number;
  rotations: number;
  generations_lost: number;
}

export interface Pipeline {
  uptime_seconds: number;
  pid: number;
  version: string;
  memory_bytes: number;
  lines: { read: number; written: number; rejected: number; filtered: number; in_flight: number };
  undelivered_seconds: number;
  throughput: { lines_per_second: Record<'1s' | '10s' | '60s', number>; bytes_per_second: Record<'1s' | '10s' | '60s', number> };
  channels: { read: Channel; write: Channel };
  sources: Source[];
  globs: { name: string; path: string; trouble?: string }[];
  influxdb: { up: boolean; version: string; last_error: string; outage_seconds: number; batches: number; retries: number; request_seconds: { p50: number; p99: number } };
  rejects: { reasons: Record<string, number>; trouble?: string };
  checkpoint: { saved_seconds: number | null; trouble?: string };
  reload: { state: string; at: string; error?: string } | null;
}

export interface Reject { time: string; source: string; line_number: number; reason: string; line: string; caret: number; why: string }

export interface Answer { page: string; live: Snapshot | null; pipeline: Pipeline | null; rejects: Reject[] }

// Of /history: internal/history/answer.go.

export interface Course extends Slots {
  seconds: number[];
  error_share: Column;
  observed: Column;
}

export interface History {
  range: string;
  from: string;
  to: string;
  filters: Record<string, string>;
  series: Course;
  total: Snapshot['total'];
  previous: { from: string; to: string; series: Course; total: Snapshot['total'] };
  tables: Record<string, Row[] | undefined>;
  observed: { host: string; source: string; share: Column }[];
  logs: number;
  gaps: { from: number; to: number; observed: number }[];
  rollups: Record<string, string>;
  missing: Record<string, string>;
}
