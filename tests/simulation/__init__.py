"""Deterministic simulation of a job: the real login and logout on a simulated world.

A schedule is a list of choices, one number for each choice point; 0 means that nothing special
happens. Assumptions about what nobody outside Reoclo can see:

* A request that was sent and lost, or that gets a 5xx or an invalid response, was processed.
  A login that was accepted finishes even if nobody polls it.
* A server runs its logins one after another, in the order in which the API accepted them. A
  logout does not wait for a login that is still running.
"""
