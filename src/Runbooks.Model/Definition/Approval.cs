namespace Runbooks.Model.Definition;

/// <summary>Who is asked before a phase acts, and what happens when nobody answers.</summary>
public sealed record Approval
{
    /// <summary>The contact that hears of everything that reached nobody else.</summary>
    public const string FallbackContact = "fallback";

    /// <summary>Whether it is that contact, or the one that a team has in its place.</summary>
    public static bool IsLastInLine(string contact) =>
        string.Equals(contact, FallbackContact, StringComparison.OrdinalIgnoreCase) || contact.EndsWith($".{FallbackContact}", StringComparison.OrdinalIgnoreCase);

    /// <summary>The question on the card, as a template.</summary>
    public required string Ask { get; init; }

    /// <summary>Contacts that are asked and may decide.</summary>
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary>How many distinct people have to say yes.</summary>
    public int Required { get; init; } = 1;

    /// <summary>Whoever started the incident by hand may not be the only one to approve it.</summary>
    public bool SeparationOfDuties { get; init; }

    /// <summary>Somebody of the runbook's owner has to be among those who say yes.</summary>
    public bool OwnerRequired { get; init; }

    public TimeSpan? RemindAfter { get; init; }

    public IReadOnlyList<Escalation> Escalate { get; init; } = [];

    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(20);

    public OnTimeout OnTimeout { get; init; } = OnTimeout.Abort;
}

/// <summary>After this long without a decision these contacts are asked as well, and may decide.</summary>
public sealed record Escalation(TimeSpan After, IReadOnlyList<string> To);

/// <summary>What an unanswered gate does.</summary>
public enum OnTimeout
{
    /// <summary>Nothing runs; the incident expires and the fallback contact is told.</summary>
    Abort,

    /// <summary>The steps run when this program takes every one of them back and no warning stood against them; otherwise as <see cref="Abort"/>.</summary>
    ProceedIfReversible,

    /// <summary>The fallback contact is asked, for one more timeout; then as <see cref="Abort"/>.</summary>
    Escalate,
}
