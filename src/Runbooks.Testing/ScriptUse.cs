using System.Collections.Concurrent;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

/// <summary>What of a script was asked for while an incident was played: what nobody asked for says nothing, and a test must not seem to try it.</summary>
internal sealed class ScriptUse
{
    private readonly ConcurrentDictionary<string, int> _asked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _looked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _undone = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _guarded = new(StringComparer.Ordinal);
    private int _acted;

    /// <summary>Whether any step has acted by now.</summary>
    public bool HasActed => Volatile.Read(ref _acted) > 0;

    /// <returns>How often the check was asked before.</returns>
    public int Ask(string check) => _asked.AddOrUpdate(check, 1, (_, before) => before + 1) - 1;

    /// <param name="phase">Whose guardrails were asked.</param>
    public void Guard(string phase) => _guarded[phase] = true;

    public void Look(string step) => _looked[step] = true;

    public void Act() => Interlocked.Increment(ref _acted);

    public void Undo(string step) => _undone[step] = true;

    public IEnumerable<TestProblem> Unused(WorldScript script)
    {
        foreach (var (check, answers) in script.Checks)
        {
            var (asked, first) = (_asked.GetValueOrDefault(check), 0);
            foreach (var (at, answer) in answers.Index())
            {
                if (first >= asked)
                {
                    yield return new($"checks.{check}[{at}]", $"The answer '{answer.Verdict}' of check '{check}' was never asked for: the check was asked {CountText.Format(asked, "time")}. Remove the answer, or let the test go on to where it is asked.");
                }

                first += answer.Times;
            }
        }

        foreach (var phase in script.Objections.Keys.Where(phase => !_guarded.ContainsKey(phase)))
        {
            yield return new($"objections.{phase}", $"The guardrails were never asked about the {phase}, so what the test says of them was not tried.", IsKey: true);
        }

        foreach (var (name, step) in script.Steps)
        {
            if (!_looked.ContainsKey(name))
            {
                yield return new($"steps.{name}", $"Step '{name}' was never come to, so what the test says about it was not tried.", IsKey: true);
            }
            else if (step.Undo != ScriptedStep.Usual.Undo && !_undone.ContainsKey(name))
            {
                yield return new($"steps.{name}", $"Step '{name}' was never taken back, so what the test says about that was not tried.", IsKey: true);
            }
        }
    }
}
