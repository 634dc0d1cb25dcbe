"use client";

import { useEffect, useState, useSyncExternalStore } from "react";
import { Button } from "../components/button.tsx";
import { Card, EmptyState, Notice } from "../components/card.tsx";
import { useNow } from "../components/time.tsx";
import { Lab } from "./lab.ts";
import { type Held, tail } from "./lab-client.ts";
import { LabLog } from "./lab-log.tsx";
import type { Recorder } from "./recording.ts";
import type { LabSettings, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { Timeline } from "./timeline.tsx";

/** Tokens that live longer are not for watching. */
const WATCHABLE_SECONDS = 60;

export function LabView({ settings }: { settings: LabSettings }) {
  const [lab] = useState(() => new Lab(settings));
  useSyncExternalStore(
    (listener) => lab.subscribe(listener),
    () => lab.version,
    () => lab.version,
  );
  useEffect(() => lab.open(), [lab]);

  const { running, recorder } = lab;
  const { held } = lab.client;
  const { accessTokenSeconds } = settings;
  return (
    <>
      <h1 className="text-3xl font-semibold tracking-tight sm:text-4xl">The life of a session</h1>
      <p className="mt-3 max-w-2xl leading-relaxed text-muted">
        A small client signs once with a key made for it, and renews from then on. Everything below is real:
        its requests, this server&rsquo;s answers, and the mishaps you cause with the buttons. Your own
        session has no part in it.
      </p>
      {accessTokenSeconds > WATCHABLE_SECONDS && (
        <div className="mt-5">
          <Notice look="notice">
            Access tokens live {accessTokenSeconds / 60} minutes here. For tokens of 20 seconds, start the
            server with <code className="font-mono">npm run lab</code>.
          </Notice>
        </div>
      )}

      <Card labelledBy="picture" className="mt-8">
        <div className="flex flex-wrap items-center justify-between gap-4">
          <h2 id="picture" className="text-lg font-semibold tracking-tight">
            As it happens
          </h2>
          <Button
            look={held === null ? "primary" : "secondary"}
            busy={running !== null}
            onClick={() => void lab.toggleSession()}
          >
            {held === null ? "Start a session" : "End the session"}
          </Button>
        </div>
        {recorder.tracks.length === 0 ? (
          <div className="mt-6">
            <EmptyState title="Nothing has happened yet">
              Start a session and watch it renew, or press one of the buttons below.
            </EmptyState>
          </div>
        ) : (
          <Timeline recorder={recorder} />
        )}
        <div className="mt-5 min-h-16 border-t border-line pt-4">
          {held === null ? (
            <p className="text-sm text-muted">
              The client holds nothing. Any of these begins a session first:
            </p>
          ) : (
            <Holdings held={held} recorder={recorder} />
          )}
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form's fields */}
        <div
          role="group"
          aria-label="What can go wrong"
          className="mt-3 grid grid-cols-2 gap-2.5 sm:flex sm:flex-wrap"
        >
          {SCENARIOS.map((scenario) => (
            <Mishap
              key={scenario.name}
              scenario={scenario}
              obstacle={scenario.unavailable?.(settings) ?? null}
              running={running}
              onRun={() => void lab.run(scenario)}
            />
          ))}
        </div>
      </Card>

      <div className="mt-6 grid items-start gap-6 lg:grid-cols-[1fr_1.15fr]">
        <Card labelledBy="lessons" title="What each of them shows" className="order-last lg:order-first">
          <dl className="mt-4 grid gap-5">
            {SCENARIOS.map((scenario) => (
              <Lesson
                key={scenario.name}
                scenario={scenario}
                obstacle={scenario.unavailable?.(settings) ?? null}
              />
            ))}
          </dl>
        </Card>
        <Card labelledBy="log" className="lg:sticky lg:top-6">
          <h2 id="log" className="mb-2 text-lg font-semibold tracking-tight">
            In words
          </h2>
          <LabLog entries={recorder.entries} />
        </Card>
      </div>
    </>
  );
}

interface MishapProps {
  scenario: Scenario;
  /** Why it cannot be shown here; null if it can. */
  obstacle: string | null;
  running: string | null;
  onRun: () => void;
}

function Mishap({ scenario: { name }, obstacle, running, onRun }: MishapProps) {
  return (
    <Button
      className="disabled:cursor-not-allowed disabled:opacity-60"
      aria-describedby={lessonId(name)}
      disabled={obstacle !== null}
      busy={running === name}
      aria-disabled={running !== null || undefined}
      onClick={running === null ? onRun : undefined}
    >
      {name}
    </Button>
  );
}

function Lesson({ scenario: { name, summary, rule }, obstacle }: Pick<MishapProps, "scenario" | "obstacle">) {
  return (
    <div>
      <dt className="font-medium">{name}</dt>
      <dd id={lessonId(name)} className="mt-1 text-sm leading-relaxed">
        {summary}
        {obstacle !== null && <span className="mt-1 block text-notice">Not here: {obstacle}</span>}
      </dd>
      <dd className="mt-1 text-sm leading-relaxed text-muted">{rule}</dd>
    </div>
  );
}

function lessonId(name: string): string {
  return `lesson-${name.toLowerCase().replaceAll(" ", "-")}`;
}

/** What the client of the lab holds at this moment. */
function Holdings({ held, recorder }: { held: Held; recorder: Recorder }) {
  useNow(1_000);
  const leftSeconds = Math.ceil((held.accessEndsAt - recorder.now()) / 1_000);
  const facts = [
    ["Session", `${held.sessionId.slice(0, 6)}…`],
    ["Generation", String(held.generation)],
    ["Access token", leftSeconds > 0 ? `${leftSeconds} s left` : "ended"],
    ["Refresh token", `…${tail(held.refreshToken)}`],
    ["Retry key", held.retryKey === null ? "none yet" : `…${tail(held.retryKey)}`],
  ];
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-3">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="font-mono text-sm tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
