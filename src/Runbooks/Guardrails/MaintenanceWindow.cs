using System.ComponentModel.DataAnnotations;

namespace Runbooks.Guardrails;

/// <summary>A time in which work on the system is planned, once or again and again.</summary>
public sealed class MaintenanceWindow
{
    /// <summary>What people are told it is: <c>database patching</c>.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>Runbook ids; <c>*</c> at the end stands for any ending. None: every runbook.</summary>
    public IList<string> Runbooks { get; } = [];

    /// <summary>When it first begins, as wall-clock time in <see cref="TimeZone"/>: <c>2026-11-01T02:00:00</c>.</summary>
    public DateTime Start { get; set; }

    /// <summary>How long it lasts: <c>2h</c>.</summary>
    [Required]
    public string Duration { get; set; } = "";

    /// <summary>An iCalendar recurrence rule, <c>FREQ=WEEKLY;BYDAY=SU</c>; empty for once.</summary>
    public string Repeat { get; set; } = "";

    /// <summary>An IANA name: <c>Europe/Berlin</c>.</summary>
    public string TimeZone { get; set; } = "UTC";

    public WindowEffect Effect { get; set; } = WindowEffect.DiagnoseOnly;
}

public enum WindowEffect
{
    /// <summary>The questions are asked, the answers sent to whoever would have been asked to approve, and nothing runs.</summary>
    DiagnoseOnly,

    /// <summary>As above, and nobody is told: the incident is on record only.</summary>
    Suppress,
}
