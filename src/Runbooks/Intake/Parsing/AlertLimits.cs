namespace Runbooks.Intake.Parsing;

/// <summary>
/// How much of a post is read. Text longer than its limit is cut and ends in <c>…</c>, so that a cut value never equals
/// another, valid one; what is useless when cut (links, resource ids) is left out instead.
/// </summary>
public static class AlertLimits
{
    /// <summary>Bytes of one post. Azure Monitor sends at most 256 KB an alert.</summary>
    public const int Body = 1024 * 1024;

    /// <summary>Levels of nesting.</summary>
    public const int Depth = 64;

    /// <summary>Alerts in one post.</summary>
    public const int Alerts = 1000;

    /// <summary>Errors listed for one post.</summary>
    public const int Errors = 20;

    public const int Labels = 100;
    public const int Annotations = 100;
    public const int Resources = 100;

    // Characters (UTF-16), each.
    public const int Name = 512;
    public const int Severity = 64;
    public const int Summary = 1000;
    public const int Fingerprint = 512;
    public const int Runbook = 128;
    public const int LabelName = 200;
    public const int LabelValue = 2000;
    public const int AnnotationValue = 4000;
    public const int Resource = 2000;
    public const int Link = 4000;
}
