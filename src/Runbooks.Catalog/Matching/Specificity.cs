using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Matching;

/// <summary>Orders triggers: an exact name before a glob, a longer glob before a shorter one, then more labels, severity, source.</summary>
internal readonly record struct Specificity(bool ExactName, int NameWeight, int ExactLabels, int Labels, bool Severity, bool Source) : IComparable<Specificity>
{
    public static Specificity Of(Trigger trigger) => new(
        Glob.IsExact(trigger.Alert),
        Glob.IsExact(trigger.Alert) ? 0 : Glob.Weight(trigger.Alert),
        trigger.Labels.Values.Count(Glob.IsExact),
        trigger.Labels.Count,
        trigger.Severity.Count > 0,
        trigger.Source is not null);

    public int CompareTo(Specificity other) =>
        (ExactName, NameWeight, ExactLabels, Labels, Severity, Source).CompareTo(
            (other.ExactName, other.NameWeight, other.ExactLabels, other.Labels, other.Severity, other.Source));
}
