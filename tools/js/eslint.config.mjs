// Rules of the scripts in static/js. Run from the top folder (make check).
import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  complexity: ["error", 20], // it counts every ?. and ?? as well
  "max-lines": ["error", 450],
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
};

export default [
  { files: ["static/js/**/*.js"], languageOptions: { globals: globals.browser }, rules },
  {
    // Blocks the first paint, which a module does not do.
    files: ["static/js/theme.js"],
    languageOptions: { sourceType: "script", globals: globals.browser },
    rules: { ...rules, strict: ["error", "function"] },
  },
  { files: ["static/js/api_docs.js"], languageOptions: { globals: { SwaggerUIBundle: "readonly" } } },
  { files: ["tests/js/*.mjs", "tools/js/*.mjs"], languageOptions: { globals: globals.node }, rules },
];
