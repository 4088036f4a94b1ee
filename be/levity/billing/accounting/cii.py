"""Invoices as XML of UN/CEFACT (CII), by drafthorse: XRechnung 3.0, and EN 16931 for Factur-X.

Runs in a child process (levity.billing.accounting.child), for what reads schemas takes memory.
"""

from decimal import Decimal
from typing import Any

from drafthorse.models.accounting import ApplicableTradeTax
from drafthorse.models.document import Document
from drafthorse.models.note import IncludedNote
from drafthorse.models.party import TaxRegistration
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.tradelines import LineItem

from levity.billing.accounting.invoice import Invoice, InvoiceLine, Party

__all__ = ["EN16931", "XRECHNUNG", "cii_of"]

EN16931 = "urn:cen.eu:en16931:2017"
XRECHNUNG = f"{EN16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
SCHEMA = "FACTUR-X_EN16931"
TRANSFER, DIRECT_DEBIT = "58", "59"
"""UNTDID 4461: SEPA's."""
STANDARD, EXEMPT = "S", "E"
"""UNTDID 5305."""
FOUR = Decimal("0.0001")


def cii_of(invoice: Invoice, guideline: str) -> bytes:
    """The XML, checked against the schema of EN 16931; raises what lxml does if it is not valid."""
    document = Document()
    document.context.business_parameter.id = PROCESS
    document.context.guideline_parameter.id = guideline
    document.header.id = invoice.number
    document.header.type_code = invoice.kind
    document.header.issue_date_time = invoice.dated
    trade = document.trade
    trade.delivery.event.occurrence = invoice.last_day
    trade.agreement.buyer_reference = invoice.reference
    _party(trade.agreement.seller, invoice.seller)
    _party(trade.agreement.buyer, invoice.buyer)
    for number, line in enumerate(invoice.lines, 1):
        trade.items.add(_line(number, line))
    _settle(document, invoice)
    written: bytes = document.serialize(schema=SCHEMA)
    return written


def _party(target: Any, party: Party) -> None:
    target.name = party.name
    if party.contact:
        target.contact.person_name = party.contact
        target.contact.telephone.number = party.phone
        target.contact.email.address = party.email
    target.address.postcode = party.postcode
    target.address.line_one = party.street
    target.address.city_name = party.city
    target.address.country_id = party.country
    if party.email:
        target.electronic_address.uri_ID = ("EM", party.email)
    if party.tax_number:
        number = party.tax_number.replace(" ", "")
        scheme = "VA" if number[:2].isalpha() else "FC"
        target.tax_registrations.add(TaxRegistration(id=(scheme, number)))


def _line(number: int, line: InvoiceLine) -> LineItem:
    item = LineItem()
    item.document.line_id = str(number)
    item.product.name = line.name
    item.agreement.net.amount = line.price
    item.delivery.billed_quantity = (line.quantity, line.unit)
    tax = item.settlement.trade_tax
    tax.type_code = "VAT"
    tax.category_code = _category(line.vat)
    tax.rate_applicable_percent = line.vat
    item.settlement.monetary_summation.total_amount = line.amount
    return item


def _settle(document: Document, invoice: Invoice) -> None:
    settlement = document.trade.settlement
    settlement.payment_reference = invoice.number
    settlement.currency_code = invoice.currency
    if invoice.creditor_id:
        settlement.creditor_reference_id = invoice.creditor_id
    settlement.payment_means.add(_means(invoice))
    for each in invoice.taxes:
        tax = ApplicableTradeTax()
        tax.calculated_amount = each.tax
        tax.type_code = "VAT"
        tax.basis_amount = each.net
        tax.category_code = _category(each.vat)
        if not each.vat:
            tax.exemption_reason = invoice.exemption
        tax.rate_applicable_percent = each.vat
        settlement.trade_tax.add(tax)
    settlement.period.start = invoice.first_day
    settlement.period.end = invoice.last_day
    terms = PaymentTerms()
    if invoice.terms:
        terms.description = invoice.terms
    terms.due = invoice.due
    if invoice.mandate:
        terms.debit_mandate_id = invoice.mandate
    settlement.terms.add(terms)
    sums = settlement.monetary_summation
    sums.line_total = invoice.net
    sums.charge_total = sums.allowance_total = Decimal("0.00")
    sums.tax_basis_total = invoice.net
    sums.tax_total = (invoice.tax, invoice.currency)
    sums.grand_total = invoice.gross
    sums.due_amount = invoice.gross
    if len(invoice.corrects) == 1:
        settlement.invoice_referenced_document.issuer_assigned_id = invoice.corrects[0]
    elif invoice.corrects:
        document.header.notes.add(IncludedNote(content=", ".join(invoice.corrects)))


def _means(invoice: Invoice) -> PaymentMeans:
    means = PaymentMeans()
    if invoice.mandate:
        means.type_code = DIRECT_DEBIT
        means.payer_account.iban = invoice.debited
    else:
        means.type_code = TRANSFER
        means.payee_account.iban = invoice.iban
        means.payee_account.account_name = invoice.seller.name
    return means


def _category(vat: Decimal) -> str:
    return STANDARD if vat else EXEMPT


def in_pdf(pdf: bytes, xml: bytes, invoice: Invoice) -> bytes:
    """The PDF with the XML in it (Factur-X, ZUGFeRD 2), checked against the schema once more."""
    from facturx import generate_from_binary

    made: bytes = generate_from_binary(
        pdf,
        xml,
        flavor="factur-x",
        level="en16931",
        lang=invoice.language,
        afrelationship="alternative",
        pdf_metadata={
            "author": invoice.seller.name,
            "title": invoice.number,
            "subject": invoice.number,
            "keywords": "Factur-X, ZUGFeRD",
        },
    )
    return made
