// SPDX-License-Identifier: GPL-2.0-only
/**
 * The schema of the store, as the steps that led to it: step n (from 1) turns version n - 1 into
 * version n. A released step never changes; running all of them creates the newest database.
 */
export const migrations: readonly string[] = [
  // 1: runs, their cases, findings, kernels, emulators, scenarios.
  `
  CREATE TABLE emulator (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    version TEXT NOT NULL,
    origin TEXT NOT NULL
  ) STRICT;

  -- A kernel that could not be had has an empty hash.
  CREATE TABLE kernel (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL,
    release TEXT NOT NULL,
    flavour TEXT NOT NULL,
    version TEXT NOT NULL,
    UNIQUE (sha256, release, flavour)
  ) STRICT;

  -- One name may mean another experiment on another day: the hash is of the definition without the name.
  CREATE TABLE scenario (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    UNIQUE (hash, name)
  ) STRICT;

  -- Long text that many results have in common.
  CREATE TABLE content (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL
  ) STRICT;

  CREATE TABLE run (
    id TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    folder TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT,
    ptdiff_version TEXT NOT NULL,
    ptdiff_commit TEXT,
    emulator INTEGER NOT NULL REFERENCES emulator,
    initramfs TEXT NOT NULL,
    monitor TEXT,
    planned INTEGER NOT NULL,
    left_out INTEGER NOT NULL,
    -- JSON: command, asked, generations, host, unavailable, as in run.json.
    circumstances INTEGER NOT NULL REFERENCES content
  ) STRICT;
  CREATE INDEX run_by_start ON run (started);

  CREATE TABLE result (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    kernel INTEGER NOT NULL REFERENCES kernel,
    spec TEXT NOT NULL,
    generation TEXT NOT NULL,
    scenario INTEGER NOT NULL REFERENCES scenario,
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'fail', 'known', 'hang', 'crash', 'error')),
    reason TEXT,
    seconds REAL NOT NULL,
    symbols INTEGER NOT NULL REFERENCES content,
    UNIQUE (run, name)
  ) STRICT;
  CREATE INDEX result_by_scenario ON result (scenario);
  CREATE INDEX result_by_kernel ON result (kernel);
  CREATE INDEX result_by_name ON result (name);

  -- Bytes of the linear map by kind of leaf.
  CREATE TABLE linear_map (
    result INTEGER NOT NULL REFERENCES result ON DELETE CASCADE,
    checkpoint TEXT NOT NULL,
    page INTEGER NOT NULL,
    cont_pte INTEGER NOT NULL,
    pmd INTEGER NOT NULL,
    cont_pmd INTEGER NOT NULL,
    pud INTEGER NOT NULL,
    invalid INTEGER NOT NULL,
    PRIMARY KEY (result, checkpoint)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE finding (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    checkpoint TEXT
  ) STRICT;

  -- A finding as one result shows it; place is its position in the result.
  CREATE TABLE sighting (
    result INTEGER NOT NULL REFERENCES result ON DELETE CASCADE,
    place INTEGER NOT NULL,
    finding INTEGER NOT NULL REFERENCES finding,
    title TEXT NOT NULL,
    detail INTEGER NOT NULL REFERENCES content,
    known TEXT,
    PRIMARY KEY (result, place)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sighting_by_finding ON sighting (finding);
  `,

  // 2: nights, and which kernels a watched branch or suite has had.
  `
  CREATE TABLE night (
    id INTEGER PRIMARY KEY,
    config TEXT NOT NULL,
    started TEXT NOT NULL,
    folder TEXT NOT NULL,
    -- Absent while the night goes on, and where it was killed.
    ended TEXT,
    -- Cases of the matrix, and how many of them the last nights have looked at.
    total INTEGER,
    covered INTEGER,
    -- JSON: findings that no second boot could confirm.
    unconfirmed TEXT
  ) STRICT;
  CREATE INDEX night_by_config ON night (config, started);

  CREATE TABLE watched (
    watch TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    PRIMARY KEY (watch, sha256)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Schema version that this program writes. */
export const storeVersion = migrations.length;
