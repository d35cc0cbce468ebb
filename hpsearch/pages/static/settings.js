// A browser that was never here opens MLflow's pages on traces, and beside them a chat that takes a
// quarter of the width, unless these are set.
"use strict";

const SETTINGS = { // as MLflow's own pages keep them
  "mlflow.workflowType_v1": "machine_learning",
  "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": true,
};
try {
  for (const [name, value] of Object.entries(SETTINGS)) {
    if (localStorage.getItem(name) === null) localStorage.setItem(name, JSON.stringify(value));
  }
} catch (error) { /* storage is off: the addresses say it too */ }
