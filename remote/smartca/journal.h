/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transaction journal: what makes "never twice, never lost" true across crashes. One
 * file state_dir/journal/transactions of checksummed lines, filled up with line ends and only ever
 * added to, every access under an exclusive lock on it, on the disk before a transaction may be
 * sent. A torn or damaged line is skipped; a file without live transactions is blanked.
 */
#ifndef REMOTE_SMARTCA_JOURNAL_H
#define REMOTE_SMARTCA_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/call.h"
#include "remote/base/status.h"
#include "remote/smartca/codec.h"

enum {
    JOURNAL_DIGEST_MAX = 64,
    JOURNAL_DOCUMENTS_MAX = 1024,
    JOURNAL_KEEP_S = 24 * 3600, /* an unfinished transaction is remembered this long */
    JOURNAL_ENDED_KEEP_S = 60,  /* how it ended, for processes whose documents were in it */
};

enum journal_state {
    JOURNAL_SUBMITTING, /* the POST may or may not have reached the service */
    JOURNAL_SUBMITTED,  /* the service said it has it */
    JOURNAL_WANTED,     /* no transaction: what a process would have in the next one */
    JOURNAL_ENDED,      /* rejected, expired or failed: ended_with says which */
};

struct journal_document {
    uint8_t digest[JOURNAL_DIGEST_MAX];
    size_t digest_len;
    char doc_id[CODEC_DOC_ID_SIZE];
    bool is_collected; /* its signature was handed to a caller, or turned out to be none */
};

/* Everything needed to repeat the same request byte for byte, and to ask for its outcome. */
struct journal_transaction {
    char id[CODEC_ID_SIZE];        /* UUIDv4, ours */
    char tran_code[CODEC_ID_SIZE]; /* the service's, "" until known */
    char url[512];
    char user_id[64];
    char serial[128];
    char confirm[8]; /* as the configuration spells it; "": of an older program */
    char description[CODEC_MESSAGE_SIZE];
    int64_t begun_at;     /* wall clock, seconds since 1970 */
    long pid;             /* who submits it, filled in by journal_begin; 0: nobody any more */
    uint64_t pid_started; /* its start time, in the unit of /proc/PID/stat; 0: not known */
    int64_t taken_at;     /* when it began to, as begun_at */
    enum journal_state state;
    bool is_parked; /* nobody waits for it now: it keeps nobody else waiting */
    bool is_signed; /* the service was heard to say so, and nobody collected it yet */
    enum sca_status ended_with;
    int64_t ended_at;
    int64_t kept_until;                 /* how it ended is remembered until then */
    struct journal_document *documents; /* malloced, owned */
    size_t document_count;
};

void journal_transaction_fini(struct journal_transaction *transaction);

/* *to, which holds nothing, gets what *from says, and owns its documents: *from has none then. */
void journal_transaction_move(struct journal_transaction *from, struct journal_transaction *to);

struct journal;

/* state_dir is copied; the folder is made (0700) at the first begin. */
enum sca_status journal_new(const char *state_dir, struct journal **ret_journal);
void journal_free(struct journal *journal);

/* How transactions of one key, and of one identity, follow each other: among all processes. */
struct journal_rules {
    bool takes_turns;  /* one at a time: what comes meanwhile forms the next one */
    bool is_again;     /* it came before, and was told to wait */
    int64_t since;     /* what ended from then on answers for it, if it is_again; as begun_at */
    bool joins_partly; /* a transaction that holds one of its digests; otherwise all of them */
    size_t documents_max;
    unsigned prompts_max; /* open at a time for the identity, whatever the key; 0: any number */
    int64_t open_s;       /* no confirmation stays open for longer */
    int64_t cooldown_s;   /* a rejection answers for the same digest so long */
};

enum journal_turn {
    JOURNAL_BEGUN,  /* *wanted is on the disk, with what other processes wanted in it as well */
    JOURNAL_JOINED, /* *wanted is the live transaction that holds at least one of its digests */
    JOURNAL_WAITS,  /* another one is open; what is wanted has been noted down for the next one */
    JOURNAL_OVER,   /* *wanted is the transaction that held a digest of it; see ended_with */
};

/*
 * What a transaction with wanted's documents has to do now, under these rules. Statuses as
 * journal_begin's, on whose rules this rests: those have no turns, and join all documents or none.
 */
enum sca_status journal_take_turn(struct journal *journal, struct call *call,
                                  struct journal_transaction *wanted,
                                  const struct journal_rules *rules, enum journal_turn *ret_turn);

/* Notes down that this process wants those documents in the next transaction. Best effort. */
void journal_want(struct journal *journal, struct call *call, struct journal_transaction *wanted);

/* It wants nothing of that key any more. Best effort. */
void journal_unwant(struct journal *journal, const struct journal_transaction *wanted);

/*
 * Looks for a live transaction of the same url, user_id and serial that holds all of
 * wanted->documents' digests. Found: ret_joined is true and *wanted is replaced by what the journal
 * has. Not found: *wanted is appended and on the disk (fdatasync) when this returns SCA_OK.
 * SCA_IO with the call's note set when the journal cannot be read or written: nothing may be sent.
 * SCA_CANCELLED while others had the journal.
 * SCA_INVALID for a transaction that could not be read back (text that is not UTF-8, no document).
 */
enum sca_status journal_begin(struct journal *journal, struct call *call,
                              struct journal_transaction *wanted, bool *ret_joined);

/*
 * A joined transaction of which the service knows nothing: may this call send it? ret_is_ours: yes,
 * and it is on the disk that this process submits it from now on; otherwise somebody else is at it
 * (who began to less than within_ms ago, and lives). *transaction learns what the journal knows.
 * SCA_GONE: it is over, its id is not to be used any more. Otherwise as journal_begin.
 */
enum sca_status journal_claim(struct journal *journal, struct call *call,
                              struct journal_transaction *transaction, int64_t within_ms,
                              bool *ret_is_ours);

/* Notes that the service has the transaction. Best effort: losing this costs one question. */
void journal_submitted(struct journal *journal, const struct journal_transaction *transaction);

/*
 * Notes that its submitter gave up while the outcome is unknown, so that the next caller need not
 * wait for it. Best effort.
 */
void journal_left(struct journal *journal, const char *id);

/* The transaction is over: its signatures were handed out, or it was rejected, expired or failed.
 */
void journal_end(struct journal *journal, const char *id);

/*
 * The documents of it that are marked as collected are done with; with the last of them the
 * transaction is over.
 */
void journal_collect(struct journal *journal, const struct journal_transaction *transaction);

/* The same for one document. */
void journal_collect_digest(struct journal *journal, const char *id, struct span digest);

/* It is over, and how is remembered for keep_s seconds, for others that had documents in it. */
void journal_end_with(struct journal *journal, const struct journal_transaction *transaction,
                      enum sca_status status, const struct clock *clock, int64_t keep_s);

/* It is signed, and its signatures wait at the service. Best effort: it is told, no more. */
void journal_signed(struct journal *journal, const char *id);

/* It goes on at the service, and this process does not wait for it any more. Best effort. */
void journal_park(struct journal *journal, const char *id);

/*
 * A number for one document of a transaction, 0 only without memory; and the live transaction of
 * one key that holds the document of that number (the caller's), and which one it is.
 * SCA_NOT_FOUND; otherwise as journal_begin.
 */
uint64_t journal_number(const char *id, struct span digest);
enum sca_status journal_find(struct journal *journal, struct call *call,
                             const struct journal_transaction *key, uint64_t number,
                             struct journal_transaction *ret_transaction, size_t *ret_index);

/* The same for one that never left this call, unless somebody has claimed it meanwhile. */
void journal_drop(struct journal *journal, const struct journal_transaction *transaction);

/* True unless the process that submitted the transaction is certainly gone, or gave up. */
bool journal_submitter_lives(const struct journal_transaction *transaction);

/* The live transactions, oldest first, into an empty ledger (ledger.h). Nothing is changed.
 * Otherwise as journal_begin. */
struct ledger;
enum sca_status journal_list(struct journal *journal, struct call *call, struct ledger *ledger);

/* In a forked child: the parent's lock is not ours to wait for. */
void journal_abandon(void);

#endif
