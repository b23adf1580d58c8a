using Runbooks.Model.Text;

namespace Runbooks.Testing;

/// <summary>Something that happens a while after the alert. Exactly one of the deeds.</summary>
internal sealed class TestEvent
{
    public required string After { get; set; }
    public string? Approve { get; set; }
    public string? Reject { get; set; }
    public string? TakeOver { get; set; }
    public string? Cancel { get; set; }

    /// <summary>The sender says that the alert is over.</summary>
    public bool Resolved { get; set; }
    public string? Reason { get; set; }

    public TimeSpan Delay => DurationText.TryParse(After, out var delay) ? delay : TimeSpan.Zero;

    public void Validate(Action<string> fail)
    {
        if (!DurationText.TryParse(After, out _))
        {
            fail($"events.after is '{After}'; it has to be {DurationText.Words}.");
        }

        if (new[] { Approve, Reject, TakeOver, Cancel }.Count(deed => deed is not null) + (Resolved ? 1 : 0) != 1)
        {
            fail("each event has exactly one of approve, reject, takeOver, cancel (with the person's name) and resolved: true.");
        }
    }
}
