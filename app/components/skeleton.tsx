const ROWS = ["w-2/5", "w-1/3", "w-1/2"];

/** Stands in place of a list that is loading. The label is for screen readers. */
export function SkeletonRows({ label }: { label: string }) {
  return (
    <div role="status" className="divide-y divide-line rounded-2xl border border-line bg-surface">
      <span className="sr-only">{label}</span>
      {ROWS.map((width) => (
        <div key={width} aria-hidden="true" className="px-6 py-5 motion-safe:animate-pulse">
          <div className={`h-4 rounded-full bg-sunken ${width}`} />
          <div className="mt-2.5 h-3 w-1/4 rounded-full bg-sunken" />
        </div>
      ))}
    </div>
  );
}
