/**
 * Memory snapshots across visits, in IndexedDB. Only the newest is kept. Without a working IndexedDB (a private window,
 * a full disk) every visit boots from nothing, and nobody is bothered.
 */

const DATABASE = "socketpad";
const STORE = "engine";

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {string} key
 * @returns {Promise<Uint8Array | null>} The snapshot of this name, if there is one.
 */
export async function loadSnapshot(key) {
  try {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const request = database.transaction(STORE).objectStore(STORE).get(key);
      request.onsuccess = () => resolve(request.result ?? null);
      request.onerror = () => reject(request.error);
    }).finally(() => database.close());
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {Uint8Array} snapshot
 */
export async function storeSnapshot(key, snapshot) {
  try {
    const database = await open();
    const transaction = database.transaction(STORE, "readwrite");
    transaction.objectStore(STORE).clear();
    transaction.objectStore(STORE).put(snapshot, key);
    transaction.oncomplete = () => database.close();
    transaction.onabort = () => database.close();
  } catch {
    // The next visit boots from nothing.
  }
}
