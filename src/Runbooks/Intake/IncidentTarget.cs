using System.Security.Cryptography;
using System.Text;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Intake;

/// <summary>What an incident is about: the runbook's target template, filled from the alert.</summary>
internal static class IncidentTarget
{
    /// <summary>Stores keep the target in a key, and keys have an end.</summary>
    public const int MaxLength = 300;

    /// <summary>A label that the alert lacks becomes <c>?</c>: an alert that says too little still reaches a person.</summary>
    public static string Of(Runbook runbook, Alert alert) =>
        Bound(Template.RenderLenient(runbook.Target, new TemplateScope { Alert = alert }));

    internal static string Bound(string target)
    {
        var text = target.Trim();
        if (text.Length == 0)
        {
            return "?";
        }

        // The hash keeps two long targets apart that differ only behind the cut.
        return text.Length <= MaxLength
            ? text
            : $"{Clip.To(text, MaxLength - 17)} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8))}";
    }
}
