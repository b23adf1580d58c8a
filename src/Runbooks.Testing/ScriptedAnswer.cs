using Runbooks.Model.Incidents;

namespace Runbooks.Testing;

/// <summary>What a check answers: a word, or a mapping where more is to be said.</summary>
internal sealed class ScriptedAnswer : IShortForm
{
    public string Verdict { get; set; } = "";

    /// <summary>What was found, in words.</summary>
    public string? Summary { get; set; }

    /// <summary>The measured value, for placeholders that read it.</summary>
    public string? Value { get; set; }

    /// <summary>How many times in a row.</summary>
    public int Times { get; set; } = 1;

    public bool IsUsable => Verdict is "passing" or "failing" or "unknown" && Times > 0;

    public void Read(string word) => Verdict = word;

    public CheckResult ToResult() =>
        new(Enum.Parse<Verdict>(Verdict, ignoreCase: true), Summary ?? $"As scripted: {Verdict}.") { Value = Value };
}
