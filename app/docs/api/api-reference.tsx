"use client";

import { useEffect, useRef } from "react";
import "swagger-ui-dist/swagger-ui.css";

/** The viewer's own class for dark colours, on the root element. */
const DARK = "dark-mode";

/** It shows and sends nothing: a reader who is signed in must not end sessions or move money by a slip. */
const readOnly = () => ({
  wrapComponents: { authorizeBtn: () => () => null, authorizeOperationBtn: () => () => null },
});

/** The OpenAPI document, in a viewer that no other page loads. */
export function ApiReference() {
  const place = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const isDark = matchMedia("(prefers-color-scheme: dark)");
    const root = document.documentElement.classList;
    const follow = () => void root.toggle(DARK, isDark.matches);
    follow();
    isDark.addEventListener("change", follow);
    let left = false;
    void import("swagger-ui-dist/swagger-ui-es-bundle.js").then(({ default: show }) => {
      if (left || place.current === null) return;
      show({
        domNode: place.current,
        url: "/api/openapi.json",
        plugins: [readOnly],
        supportedSubmitMethods: [],
        defaultModelsExpandDepth: 0,
        validatorUrl: null,
      });
    });
    return () => {
      left = true;
      isDark.removeEventListener("change", follow);
      root.remove(DARK);
    };
  }, []);

  return <div ref={place} className="min-h-dvh overflow-x-auto" />;
}
