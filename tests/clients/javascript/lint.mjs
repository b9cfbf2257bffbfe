// Reads {config, folder, file} as JSON on standard input: the text of an eslint.config.js, and a file in the folder that
// it stands in. Prints [[rule, message]] of the file.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { chdir } from "node:process";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";

const { config, folder, file } = JSON.parse(readFileSync(0, "utf8"));
chdir(folder);
// Beside node_modules, where its imports are found.
const path = fileURLToPath(new URL(`eslint.${process.pid}.config.mjs`, import.meta.url));
writeFileSync(path, config);
try {
  const [{ messages }] = await new ESLint({ overrideConfigFile: path }).lintFiles([file]);
  console.log(JSON.stringify(messages.map(({ ruleId, message }) => [ruleId, message])));
} finally {
  rmSync(path);
}
