using System.Diagnostics.CodeAnalysis;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

/// <summary>What a step does: a word, or a mapping where more is to be said.</summary>
[SuppressMessage("Usage", "CA2227", Justification = "Filled by the YAML reader.")]
internal sealed class ScriptedStep : IShortForm
{
    public static readonly ScriptedStep Usual = new();

    /// <summary>
    /// <c>done</c>; <c>fails</c> on every attempt; <c>blocked</c>: it cannot run as things are, so nothing is asked;
    /// <c>refused</c>: it was planned, and is refused when it is about to act.
    /// </summary>
    public string Outcome { get; set; } = "done";

    /// <summary>What it acts on is another once it was approved: people are asked again, then it goes on.</summary>
    public bool Changes { get; set; }

    /// <summary>What later steps may read.</summary>
    public Dictionary<string, string> Outputs { get; set; } = [];

    /// <summary>Of an action that can be undone: <c>done</c> or <c>fails</c>.</summary>
    public string Undo { get; set; } = "done";

    /// <summary>How long it takes; at once unless said.</summary>
    public string? Takes { get; set; }

    public TimeSpan Duration => Takes is not null && DurationText.TryParse(Takes, out var duration) ? duration : TimeSpan.Zero;

    public void Read(string word) => Outcome = word;

    public void Validate(Action<string> fail)
    {
        if (Outcome is not ("done" or "fails" or "blocked" or "refused"))
        {
            fail($" is '{Outcome}'; it has to be done, fails, blocked or refused.");
        }

        if (Takes is not null && !DurationText.TryParse(Takes, out _))
        {
            fail($".takes is '{Takes}'; it has to be {DurationText.Words}.");
        }

        if (Undo is not ("done" or "fails"))
        {
            fail($".undo is '{Undo}'; it has to be done or fails.");
        }
    }
}
