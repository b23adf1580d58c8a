using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.AzureStorage;

/// <summary>Section <c>AzureStorage</c>: either a connection string, or the two addresses and an identity.</summary>
public sealed class AzureStorageOptions : IValidatableObject
{
    public const string SectionName = "AzureStorage";

    /// <summary>For development; in Azure prefer the addresses, which need no secret.</summary>
    [Secret]
    public string? ConnectionString { get; set; }

    public Uri? BlobServiceUri { get; set; }

    public Uri? TableServiceUri { get; set; }

    /// <summary>The user-assigned identity to sign in with; null for whatever the environment offers.</summary>
    public string? ClientId { get; set; }

    [RegularExpression("^[A-Za-z][A-Za-z0-9]{2,62}$")]
    public string IncidentTable { get; set; } = "runbookincidents";

    [RegularExpression("^[A-Za-z][A-Za-z0-9]{2,62}$")]
    public string StateTable { get; set; } = "runbookstate";

    [RegularExpression("^[a-z0-9](-?[a-z0-9]){2,62}$")]
    public string EvidenceContainer { get; set; } = "evidence";

    /// <summary>Where a record goes that is too large for a table.</summary>
    [RegularExpression("^[a-z0-9](-?[a-z0-9]){2,62}$")]
    public string DocumentContainer { get; set; } = "documents";

    /// <summary>Takes the account from the other section; the names of tables and containers stay.</summary>
    internal void Use(StorageOptions storage)
    {
        (ConnectionString, ClientId) = (storage.ConnectionString, storage.ClientId);
        if (storage.AccountName is { } account)
        {
            BlobServiceUri = new Uri($"https://{account}.blob.core.windows.net/");
            TableServiceUri = new Uri($"https://{account}.table.core.windows.net/");
        }
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ConnectionString is null != (BlobServiceUri is not null && TableServiceUri is not null))
        {
            yield return new ValidationResult(
                $"{SectionName} needs either ConnectionString, or both BlobServiceUri and TableServiceUri.",
                [nameof(ConnectionString), nameof(BlobServiceUri), nameof(TableServiceUri)]);
        }
    }
}
