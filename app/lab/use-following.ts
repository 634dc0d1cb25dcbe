"use client";

import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

/** Where the present stands while the picture is followed, as a share of what is seen of it. */
const PRESENT_AT = 0.75;
/** How far from there a person may have gone and still follow. */
const FOLLOWS_WITHIN_PX = 60;
const SIDEWAYS = ["ArrowLeft", "ArrowRight", "Home", "End"];

/**
 * Keeps the present in sight as it moves to the right; `present`: where in the picture it is. It leaves people
 * alone who scroll elsewhere, and follows again once they are back at the present.
 */
export function useFollowing(region: RefObject<HTMLElement | null>, present: number): void {
  const follows = useRef(true);
  const target = useRef(0);

  useLayoutEffect(() => {
    const element = region.current;
    if (element === null) return;
    const last = element.scrollWidth - element.clientWidth;
    target.current = Math.min(last, Math.max(0, present - PRESENT_AT * element.clientWidth));
    if (follows.current) element.scrollTo({ left: target.current });
  }, [region, present]);

  useEffect(() => {
    const element = region.current;
    if (element === null) return;
    const listening = new AbortController();
    const { signal } = listening;
    const leave = () => {
      follows.current = false;
    };
    const comeBack = () => {
      if (Math.abs(element.scrollLeft - target.current) < FOLLOWS_WITHIN_PX) follows.current = true;
    };
    element.addEventListener("pointerdown", leave, { signal });
    element.addEventListener("wheel", ({ deltaX }) => deltaX !== 0 && leave(), { signal, passive: true });
    element.addEventListener("keydown", ({ key }) => SIDEWAYS.includes(key) && leave(), { signal });
    for (const event of ["pointerup", "scrollend"]) element.addEventListener(event, comeBack, { signal });
    return () => listening.abort();
  }, [region]);
}
