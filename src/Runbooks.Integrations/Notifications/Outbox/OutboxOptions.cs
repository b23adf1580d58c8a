using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Notifications.Outbox;

/// <summary>Section <c>Outbox</c>: messages as files, for development and practice.</summary>
public sealed class OutboxOptions
{
    public const string SectionName = "Outbox";

    /// <summary>Made when it is not there. Whoever can read it holds the approval links.</summary>
    [Required]
    public string Folder { get; set; } = "outbox";
}
