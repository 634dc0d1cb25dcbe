"use client";

import type { ReactNode } from "react";
import { Card } from "../../components/card.tsx";
import { Money } from "../../components/money.tsx";
import { useServerNow } from "../../components/server-clock.ts";
import { amountsAt } from "../accrual.ts";
import type { Stream } from "../stream-data.ts";

/** Where the deposit is: each part of it, to the last digit. */
export function StreamAmounts({ stream }: { stream: Stream }) {
  const { deposited, settled, withdrawn, withdrawable, due, refunded, remaining } = amountsAt(
    stream,
    useServerNow(),
  );
  return (
    <Card labelledBy="amounts">
      <h2 id="amounts" className="text-lg font-semibold tracking-tight">
        Where the money is
      </h2>
      <dl className="mt-4 grid gap-3 text-sm">
        <Line name="Deposited" strong>
          <Money value={deposited} asset={stream.asset} />
        </Line>
        <Line name="Still in escrow" hint="of which earned, not settled">
          <Money value={remaining} />
          <br />
          <span className="text-muted">
            <Money value={due} />
          </span>
        </Line>
        <Line name="Settled for the recipient" hint="of which withdrawn">
          <Money value={settled} />
          <br />
          <span className="text-muted">
            <Money value={withdrawn} />
          </span>
        </Line>
        <Line name="Given back to the sender">
          <Money value={refunded} />
        </Line>
        <Line name="Ready to withdraw" strong>
          <Money value={withdrawable} asset={stream.asset} />
        </Line>
      </dl>
    </Card>
  );
}

interface LineProps {
  name: string;
  hint?: string;
  strong?: boolean;
  children: ReactNode;
}

function Line({ name, hint, strong = false, children }: LineProps) {
  return (
    <div
      className={`flex items-start justify-between gap-4 ${strong ? "border-line font-medium not-first:border-t not-first:pt-3" : ""}`}
    >
      <dt>
        {name}
        {hint !== undefined && <span className="block text-muted">{hint}</span>}
      </dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}
